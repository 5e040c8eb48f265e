import { createHash } from 'node:crypto';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { statementFormat, statementText } from '../core/decision.ts';
import type { ReadSubject, Signed, Statement } from '../core/decision.ts';
import type { DecideOutcome, Standing } from '../core/run.ts';
import { decideStart } from '../workflows/decide-start.ts';
import type { DecideRequest } from '../workflows/decide-start.ts';
import type { DeployOutcome } from '../workflows/deploy.ts';
import { asMlError } from './failure.ts';
import { runHandle } from './run-handle.ts';
import type { RunHandle } from './run-handle.ts';

/** Who decides and why. */
export interface Decider {
  readonly by: string;
  readonly reason: string;
  /** ECDSA over the UTF-8 bytes of the text, in base64: with a private key of one's own, or by a service that keeps it. */
  readonly sign?: (text: string) => string | Promise<string>;
}

/** A version that awaits a decision, as `awaited` reads it from the registry. */
export type Awaiting = Omit<DecideRequest, 'trial'> & { readonly subject: ReadSubject };

/** A decision that was taken, and the run that carries it out. */
export interface Decided {
  readonly standing: Standing;
  /** The run that waited, and brings what is approved. */
  readonly run: RunHandle<DecideOutcome>;
}

/** What people decide. Each is an entry in the registry's log, with how its author is known. */
export interface Decisions {
  /**
   * Agrees to a version that awaits a decision. It works whether or not a run still waits for it: the registry is the truth.
   *
   * @throws {MlError} `DecisionTaken`, `ApprovalRefused`, `VersionUnknown`
   */
  approve(version: Awaiting, who: Decider): Promise<Decided>;
  /** Says no to a version that waits: it stays in the registry, and serves nobody. */
  reject(version: Awaiting, who: Decider): Promise<Decided>;
  /** Makes a version champion whatever its verdict. `expect` is today's champion. @throws {MlError} `RunInProgress` while another is deployed */
  promote(version: ReadSubject, who: Decider): Promise<RunHandle<DeployOutcome>>;
  /** Makes a former champion champion again; `expect` is the one that goes. */
  rollback(to: ReadSubject, who: Decider): Promise<RunHandle<DeployOutcome>>;
}

export function decisions(temporal: Client, taskQueue: string, deploy: (signed: Signed) => Promise<RunHandle<DeployOutcome>>): Decisions {
  async function answer(decision: 'approved' | 'rejected', version: Awaiting, who: Decider): Promise<Decided> {
    const signed = await signedBy(who, version.subject, decision);
    const options = {
      ...decideStart(version),
      taskQueue,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    } as const;
    const start = new WithStartWorkflowOperation('decide', options);
    try {
      const standing = await temporal.workflow.executeUpdateWithStart<(request: DecideRequest) => Promise<DecideOutcome>, Standing, [Signed]>(
        'decide',
        {
          args: [signed],
          updateId: updateIdOf(signed),
          startWorkflowOperation: start,
        },
      );
      const { runId } = await (await start.workflowHandle()).describe();
      return { standing, run: runHandle(temporal, options.workflowId, runId) };
    } catch (error) {
      throw asMlError(error);
    }
  }

  return {
    approve: (version, who) => answer('approved', version, who),
    reject: (version, who) => answer('rejected', version, who),
    promote: async (version, who) => deploy(await signedBy(who, version, 'promoted')),
    rollback: async (to, who) => deploy(await signedBy(who, to, 'rolledBack')),
  };
}

async function signedBy({ by, reason, sign }: Decider, subject: ReadSubject, decision: Statement['decision']): Promise<Signed> {
  const statement: Statement = { ...subject, format: statementFormat, decision, by, reason, at: new Date().toISOString() };
  return sign === undefined ? { statement } : { statement, signature: await sign(statementText(statement)) };
}

/** A call that is sent twice is one; the same person may say it again with another signature. */
function updateIdOf({ statement, signature = '' }: Signed): string {
  const digest = createHash('sha256')
    .update(`${statementText(statement)}\n${signature}`)
    .digest('hex');
  return `${statement.by}-${digest.slice(0, 16)}`;
}
