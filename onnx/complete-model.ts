import { readFile } from 'node:fs/promises';
import type { TableEncoding } from '../core/encoding.ts';
import type { TaskKind } from '../core/task.ts';
import { joinModels } from './join.ts';
import { tablePrefix } from './table-prefix.ts';

/** Makes a trainer's core model one that takes what a caller sends. `preprocessorPath` is the fitted preprocessing, as JSON. */
type Complete = (preprocessorPath: string, core: Uint8Array) => Promise<Uint8Array>;

const asItIs: Complete = (_, core) => Promise.resolve(core);

const table: Complete = async (preprocessorPath, core) =>
  joinModels(tablePrefix(JSON.parse(await readFile(preprocessorPath, 'utf8')) as TableEncoding), core);

const completions = { recommendation: asItIs, regression: table, binary: table, multiclass: table } satisfies Record<TaskKind, Complete>;

/** @throws {MlError} `ModelInvalid` if the core does not fit the preprocessing. */
export const completeModel = (kind: TaskKind, preprocessorPath: string, core: Uint8Array): Promise<Uint8Array> =>
  completions[kind](preprocessorPath, core);
