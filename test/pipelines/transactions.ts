import { join } from 'node:path';
import { aggregateGroups } from '../../core/aggregates.ts';
import { aggregatesSql } from '../../data/aggregates.ts';
import { type DataContext, withDuckdb } from '../../data/duckdb.ts';
import { naturalOrder, parquet } from '../../data/parquet.ts';
import { viewSources } from '../../data/select.ts';
import { paymentFraud } from '../../pipelines/payment-fraud/payment-fraud.ts';
import type { RequestRow } from '../../serving/index.ts';
import { snapshotSource } from '../data/source.ts';

/** The names of the windowed features, in the order of `Transaction.offline`. */
export const featureNames = aggregateGroups(paymentFraud).flatMap(({ features }) => features.map(({ name }) => name));

export interface Transaction {
  /** As it is pushed. */
  readonly row: RequestRow;
  /** As it is asked about: without what nobody knows yet. */
  readonly asked: RequestRow;
  /** What SQL makes of all transactions. */
  readonly offline: Float64Array;
}

/** Reads the handbook's transactions into a snapshot at `out`. */
export async function snapshotTransactions(folder: string, out: string, context: DataContext): Promise<void> {
  const source = paymentFraud.sources.transactions;
  const connections = { payments: { kind: 'folder', path: folder } } as const;
  const readSecret = () => Promise.reject(new Error('a folder has no secret'));
  await snapshotSource({ name: 'transactions', source, connections, readSecret, out, resume: context.scratch }, context);
}

/** Transactions of a span, oldest first, with the features that SQL gives them, which sees all. */
export async function readTransactions(snapshot: string, span: { readonly from: string; readonly to: string }, context: DataContext) {
  const out = join(context.scratch, 'features.parquet');
  return withDuckdb({ read: [snapshot, out], write: [out] }, context, async (db) => {
    await viewSources(db, { transactions: snapshot });
    await db.run(`COPY (${aggregatesSql('transactions', ['txId'], aggregateGroups(paymentFraud))}) TO '${out}' (FORMAT parquet, USE_TMP_FILE false)`);
    const transactions: Transaction[] = [];
    const select =
      `SELECT txId, strftime("at", '%Y-%m-%dT%H:%M:%S.%gZ'), customerId, terminalId, amount, fraud, ${featureNames.join(', ')} ` +
      `FROM transactions JOIN ${parquet(out)} USING (txId) WHERE "at" >= TIMESTAMP '${span.from}' AND "at" < TIMESTAMP '${span.to}' ` +
      `ORDER BY "at", ${naturalOrder('txId')}`;
    for await (const chunk of db.chunks(select)) {
      for (const [txId, at, customerId, terminalId, amount, fraud, ...offline] of chunk.getRows() as RequestRow[string][][]) {
        const asked = { at: at!, customerId: customerId!, terminalId: terminalId!, amount: amount! };
        transactions.push({ row: { txId: txId!, ...asked, fraud: fraud! }, asked, offline: Float64Array.from(offline as number[]) });
      }
    }
    return transactions;
  });
}

/**
 * By how much of itself a value that was told differs from the offline one. Counts and shares of flags are the same number; SQL adds amounts in an order
 * of its own.
 */
export function difference(told: Readonly<Record<string, number>>, offline: Float64Array): number {
  let most = 0;
  for (const [at, name] of featureNames.entries()) {
    const [mine, theirs] = [told[name]!, offline[at]!];
    const differs = mine === theirs ? 0 : name.includes('mean') ? Math.abs(mine - theirs) / Math.abs(theirs) : Infinity;
    most = Math.max(most, differs);
  }
  return most;
}
