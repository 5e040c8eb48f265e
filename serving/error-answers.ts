import type { FastifyInstance } from 'fastify';
import { MlError } from '../core/errors.ts';
import type { Log } from '../core/step-context.ts';

/** Turns every error into `{ error, code }` with the catalogue's status: the one place where an error becomes an answer. */
export function answerErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => {
    const known = error instanceof MlError ? error : fromFramework(error as Error & { statusCode?: number });
    if (known.code === 'Bug') log.error('a request failed', { url: request.url, error: known.message });
    // A bug's message may tell what is inside; the log has it.
    const message = known.code === 'Bug' ? 'something went wrong in the server; its log says what' : known.message;
    return reply.status(known.status).send({ error: message, code: known.code });
  });
  app.setNotFoundHandler((request, reply) =>
    reply
      .status(404)
      .send({ error: `there is nothing at ${request.method} ${request.url}: GET /v1/models lists what can be asked`, code: 'RequestInvalid' }),
  );
}

/** Fastify's own refusals (no JSON, a body that is too large) are the caller's; anything else is ours. */
function fromFramework(error: Error & { statusCode?: number }): MlError {
  if (error.statusCode === 413) return new MlError('PayloadTooLarge', `the request's body is too large: ${error.message}`, {}, { cause: error });
  if (error.statusCode !== undefined && error.statusCode < 500) return new MlError('RequestInvalid', error.message, {}, { cause: error });
  return new MlError('Bug', error.stack ?? error.message, {}, { cause: error });
}
