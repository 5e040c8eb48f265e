import { DefaultFailureConverter } from '@temporalio/common';
import { guarded } from './payload-guard.ts';

/** Messages and stack traces become payloads, so that the codec encrypts them, too. */
export const failureConverter = guarded(new DefaultFailureConverter({ encodeCommonAttributes: true }));
