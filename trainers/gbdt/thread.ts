/** One thread of a team. */
import { parentPort, workerData } from 'node:worker_threads';
import { serve } from './team.ts';
import type { Opening } from './workspace.ts';

const { opening, share } = workerData as { readonly opening: Opening; readonly share: number };
serve(opening, share, () => parentPort!.postMessage('ready'));
