import type { Json } from '../core/artifact.ts';
import type { Candidate } from '../core/grid.ts';
import type { Window } from '../core/manifest.ts';
import type { ModelSpec } from '../core/model-spec.ts';

export interface CardFacts {
  readonly spec: ModelSpec;
  readonly segment: string;
  readonly window: Window;
  readonly chosen: Candidate;
  readonly facts: Readonly<Record<string, Json>>;
}

/** A model card in the Hugging Face form: YAML front matter, then prose. What the data said stands in the evaluation beside it. */
export function modelCard({ spec, segment, window, chosen, facts: { importance: _, importanceBy: __, ...facts } }: CardFacts): string {
  const use = spec.intendedUse === undefined ? '' : `${spec.intendedUse}\n\n`;
  return `---
library_name: onnx
pipeline_tag: ${spec.task}
tags: [perennial, ${chosen.trainer}]
---

# ${spec.name}, ${segment}

${use}A ${spec.task} model made by the trainer \`${chosen.trainer}\` with \`${JSON.stringify(chosen.parameters)}\`.

- Rows: ${window.from} to ${window.to}, segment \`${segment}\`, from the sources ${Object.keys(spec.sources).join(', ')}.
- Exam: ${JSON.stringify(spec.split)}; figures and intervals in \`evaluation.json\`.
- Served model: ${spec.refit === 'none' ? 'the one that sat the exam' : 'fitted once more on all rows after the exam; the evaluation is that of the model fitted without the test rows'}.
- Training: ${JSON.stringify(facts)}.
- Inputs and outputs: as \`signature\` in the manifest.
`;
}
