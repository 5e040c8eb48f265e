import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { MlError } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';
import { allCodeDigests } from './code-digests.ts';

/** A build of a deployment, as Worker Versioning knows it. */
export interface DeploymentVersion {
  readonly deploymentName: string;
  readonly buildId: string;
}

/** Names a build by its content: our compiled code, the workflows as they are bundled, and the files of the project's own steps. */
export async function buildIdOf(bundle: string, stepModules: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(allCodeDigests()).update(bundle);
  for (const module of stepModules) hash.update(await readFile(module));
  return hash.digest('hex').slice(0, 16);
}

const knownWithinMs = 30_000;
const pauseMs = 100;

/**
 * Makes this build the one that new runs go to: always where that is asked for, else only where none is, since then versioned workers would get
 * nothing at all. A server knows a build once its worker has asked for work.
 * @returns whether it is the current one now.
 */
export async function makeCurrent({ workflowService, options }: Client, version: DeploymentVersion, always: boolean): Promise<boolean> {
  const { namespace } = options;
  const { deploymentName, buildId } = version;
  const deadline = performance.now() + knownWithinMs;
  for (;;) {
    try {
      const { workerDeploymentInfo } = await workflowService.describeWorkerDeployment({ namespace, deploymentName });
      const current = workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId;
      if (current === buildId) return true;
      if (current && !always) return false;
      await workflowService.setWorkerDeploymentCurrentVersion({ namespace, deploymentName, buildId, identity: options.identity });
      return true;
    } catch (error) {
      if (performance.now() > deadline) {
        const message = `build ${buildId} could not be made the current one of deployment "${deploymentName}": ${messageOf(error)}`;
        throw new MlError('TemporalUnavailable', message, { ...version }, { cause: error });
      }
      await sleep(pauseMs);
    }
  }
}
