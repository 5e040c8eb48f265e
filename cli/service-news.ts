import type { SupervisorEvent } from '../workers/supervisor.ts';

/** What a supervisor has to say to somebody who watches; `undefined` for what only concerns the machine. */
export function serviceNews(event: SupervisorEvent): string | undefined {
  switch (event.kind) {
    case 'ready':
      return event.service === 'note' || event.service === 'lineage sweeps'
        ? undefined
        : `${event.service} is ready (${(event.ms / 1000).toFixed(1)} s)`;
    case 'ended':
      return `${event.service} ended: ${event.reason}${event.restarting ? '; starting it again' : ''}`;
    case 'stop':
      return 'stopping';
    case 'stop-failed':
      return `${event.service} could not be stopped: ${event.reason}`;
    case 'starting':
    case 'stopping':
    case 'stopped':
      return undefined;
  }
}
