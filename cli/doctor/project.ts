import { plural } from '../words.ts';
import type { Check } from './finding.ts';

/** Specs, workflows and steps load. */
export const project: Check = {
  of: 'project',
  async look(at) {
    const { specs, workflowModules, stepModules } = await at.project();
    const { loadModule } = await import('../../workers/load-module.ts');
    for (const module of [...workflowModules, ...stepModules]) await loadModule(module);
    return [
      {
        of: 'project',
        state: specs.size > 0 ? 'well' : 'doubtful',
        found: `${plural(specs.size, 'model')} in ${at.settings.pipelines}, ${plural(workflowModules.length, 'module')} of workflows`,
        ...(specs.size === 0 && { cure: 'write one, as docs/first-model.md tells, or start with `perennial init`' }),
      },
    ];
  },
};
