import type { Workplace } from '../workplace.ts';

/** What a check found. `ill` keeps something from working, `doubtful` may do so later or elsewhere, `unseen` could not be looked at now, or need not be. */
export interface Finding {
  readonly of: string;
  readonly state: 'well' | 'doubtful' | 'ill' | 'unseen';
  readonly found: string;
  readonly cure?: string;
}

/** Looks at one part of the installation. What it throws is a finding, too. */
export interface Check {
  readonly of: string;
  look(at: Workplace): Promise<readonly Finding[]>;
}
