import { tableLoader } from './table.ts';

export const binary = tableLoader('binary');
