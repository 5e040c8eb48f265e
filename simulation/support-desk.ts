import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { random } from '../core/random.ts';
import type { Random } from '../core/random.ts';

export interface SupportDeskOptions {
  readonly seed?: number;
  readonly tickets?: number;
  readonly customers?: number;
  /** First day, ISO 8601, UTC. */
  readonly from?: string;
  readonly days?: number;
}

interface Customer {
  readonly id: string;
  readonly plan: 'free' | 'team' | 'business';
  readonly seats: number;
  /** Added to the log-odds of each of their tickets: some call the boss soon. Nobody sees it. */
  readonly temper: number;
}

const hourMs = 3_600_000;

const subjects = {
  question: ['How do I export a report', 'Where can I change my name', 'Can two teams share a board'],
  billing: ['Invoice shows the wrong address', 'Refund for an extra seat', 'Card was declined'],
  access: ['Cannot log in after the update', 'Password link does not arrive', 'New colleague has no access'],
  bug: ['Board does not load', 'Export loses the last column', 'Filter shows deleted tasks'],
  outage: ['Everything is down', 'Nobody here can work', 'Server error on each page'],
} as const;
type Topic = keyof typeof subjects;
const topics: readonly Topic[] = ['question', 'question', 'billing', 'access', 'access', 'bug', 'bug', 'outage'];

/**
 * Writes the tickets of an invented support desk into `folder` (`tickets.csv`). The same options give the same bytes.
 *
 * A ticket is escalated more often when the same trouble is back, when a long queue meets a topic that cannot wait, and when a business writes at night. The
 * last two are no sums: what a long queue means depends on the topic, and an hour on the plan.
 */
export async function simulateSupportDesk(
  folder: string,
  { seed = 2024, tickets = 3000, customers = 300, from = '2025-01-01', days = 150 }: SupportDeskOptions = {},
): Promise<void> {
  const draw = random(`support-desk ${seed}`);
  const clients = Array.from({ length: customers }, (_, at) => makeCustomer(at, draw));
  const times = Array.from(
    { length: tickets },
    () => Date.parse(from) + Math.floor(draw.next() * days * 24) * hourMs + draw.below(hourMs / 1000) * 1000,
  );
  const rows = times.toSorted((a, b) => a - b).map((ms, at) => ticket(at + 1, ms, clients[draw.below(customers)]!, draw));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'tickets.csv'), `ticketId,openedAt,customerId,plan,seats,topic,subject,queue,escalated\n${rows.join('\n')}\n`);
}

function makeCustomer(at: number, draw: Random): Customer {
  const plan = (['free', 'free', 'team', 'team', 'business'] as const)[draw.below(5)]!;
  const most = { free: 5, team: 40, business: 400 }[plan];
  return { id: `c${at + 1}`, plan, seats: 1 + Math.floor(most * draw.next() ** 2), temper: 0.3 * draw.normal() };
}

function ticket(id: number, ms: number, { id: customerId, plan, seats, temper }: Customer, draw: Random): string {
  const topic = topics[draw.below(topics.length)]!;
  const isBack = draw.next() < 0.15;
  const queue = Math.round(20 * Math.exp(0.7 * draw.normal()));
  const hour = new Date(ms).getUTCHours();
  const cannotWait = topic === 'outage' || topic === 'access';
  const odds =
    -3.6 +
    temper +
    (isBack ? 1.6 : 0) +
    (cannotWait && queue > 20 ? 4 : 0) +
    (plan === 'business' && (hour < 7 || hour >= 19) ? 4 : 0) +
    (plan === 'free' ? -0.5 : 0);
  const escalated = draw.next() < 1 / (1 + Math.exp(-odds));
  const subject = subjects[topic][draw.below(3)]! + (isBack ? [' again', ', still', ' for the third time'][draw.below(3)]! : '');
  // A queue is not always counted.
  const counted = draw.next() < 0.03 ? '' : queue;
  return `${id},${new Date(ms).toISOString().slice(0, 19)}Z,${customerId},${plan},${seats},${topic},${subject.includes(',') ? `"${subject}"` : subject},${counted},${escalated}`;
}
