import { MlError } from '../core/errors.ts';

/** As `engines` in package.json has it, which npm only warns of. */
const oldest = [20, 19] as const;

export function isOldNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
}

/** @throws {MlError} `ConfigInvalid` before anything fails in words that nobody understands. */
export function expectNode({ version, versions, execPath }: Pick<NodeJS.Process, 'version' | 'versions' | 'execPath'> = process): void {
  if (!isOldNode(versions.node)) return;
  throw new MlError(
    'ConfigInvalid',
    `this is Node ${version} (${execPath}), and Perennial needs ${oldest.join('.')} or newer: install one from https://nodejs.org`,
    { node: version },
  );
}
