import { tableLoader } from './table.ts';

export const multiclass = tableLoader('multiclass');
