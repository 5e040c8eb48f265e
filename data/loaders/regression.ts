import { tableLoader } from './table.ts';

export const regression = tableLoader('regression');
