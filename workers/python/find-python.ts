import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MlError } from '../../core/errors.ts';
import { whichOf } from '../go-tool.ts';

export interface Python {
  readonly executable: string;
  /** `3.12.4`. */
  readonly version: string;
}

/** The oldest that the locked libraries come for. */
export const oldestPython = [3, 11] as const;

const cure = `install Python ${oldestPython.join('.')} or newer on this worker (Debian: python3 and python3-venv), or uv`;

/** @throws {MlError} `PythonMissing` if there is none on `path` (a value of PATH), or an old one. */
export async function findPython(path: string): Promise<Python> {
  const command = (await whichOf('python3', path)) ?? (await whichOf('python', path));
  if (command === undefined) throw new MlError('PythonMissing', `there is no python3 on the PATH: ${cure}`);
  const { executable, version } = await ask(command);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestPython;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new MlError('PythonMissing', `${executable} is Python ${version}, too old: ${cure}`, { executable, version });
  }
  return { executable, version };
}

/** Itself knows its path: what is on the PATH may be a shim. */
async function ask(command: string): Promise<Python> {
  const program = 'import json, platform, sys; print(json.dumps({"executable": sys.executable, "version": platform.python_version()}))';
  try {
    const { stdout } = await promisify(execFile)(command, ['-I', '-c', program]);
    return JSON.parse(stdout) as Python;
  } catch (cause) {
    throw new MlError('PythonMissing', `${command} does not start: ${(cause as Error).message.trim()}; ${cure}`, { command }, { cause });
  }
}
