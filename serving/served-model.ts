import type { Item, PackageManifest } from '../core/manifest.ts';
import type { ModelFeatures } from './features/model-features.ts';
import type { Recommendations, RecommendRequest } from './recommend.ts';

/** Which version this is; every answer carries it. */
export interface VersionIdentity {
  readonly model: string;
  readonly segment: string;
  readonly version: number;
  /** SHA-256 of the package. */
  readonly digest: string;
}

/** A version's files on this machine: all that is needed to load it, so that it can be loaded in a thread that knows no store. */
export interface LocalVersion extends VersionIdentity {
  readonly manifest: PackageManifest;
  /** By the SHA-256 of the content: the manifest itself, every file of the package, the spec and the history. */
  readonly paths: Readonly<Record<string, string>>;
  /** SHA-256 of the spec that the version was made from. */
  readonly spec: string;
  /** SHA-256 of the users' histories, where the version has them. */
  readonly history?: string;
}

/** A user in a list. */
export interface UserSummary {
  readonly id: string;
  /** How many of the version's items the user has met. */
  readonly items: number;
}

/** A user with what they liked. */
export interface UserProfile extends UserSummary {
  /** The best valued items, newest first among equals; at most as many as asked for. */
  readonly favourites: readonly (Item & { readonly value: number; readonly at: string })[];
}

/** A row as a caller writes it: a value for each input, a time as ISO 8601. What is left away or `null` is missing. */
export type RequestRow = Readonly<Record<string, string | number | boolean | null>>;

/**
 * The answer to a row: a regression's in the label's unit, with its bounds where the spec asks for them; the positive class's probability, and whether
 * the row is called positive where the spec asks for a threshold; or the probability of each class.
 */
export type Prediction =
  | { readonly prediction: number; readonly interval?: readonly [lower: number, upper: number] }
  | { readonly probability: number; readonly positive?: boolean }
  | { readonly probabilities: Readonly<Record<string, number>> };

/** A model that answers, in this thread or in one of its own. Only a recommender has items and users, only a model of a table predicts. */
export interface ServedModel {
  readonly identity: VersionIdentity;
  readonly manifest: PackageManifest;
  /** Features of windows, where the model has aggregates and a server keeps their rows: `predict` fills in those that a row leaves away. */
  readonly features?: ModelFeatures;
  /** Answers one request. @throws {MlError} `RequestInvalid` if it is no recommender. */
  recommend(request: RecommendRequest): Promise<Recommendations>;
  /** Answers rows, in their order. @throws {MlError} `RequestInvalid` if a row is not what the model takes, or it is a recommender. */
  predict(rows: readonly RequestRow[]): Promise<readonly Prediction[]>;
  /** Those of the ids that the version knows. */
  items(ids: readonly string[]): Promise<readonly Item[]>;
  /** Items whose title has the words of `query`. */
  findItems(query: string, limit: number): Promise<readonly Item[]>;
  /** Users whose id has `query` in it; those whose id begins with it first. */
  findUsers(query: string, limit: number): Promise<readonly UserSummary[]>;
  /** One user, or `null` when there is no such one. */
  user(id: string, favourites: number): Promise<UserProfile | null>;
  /** Ends after the requests that it has taken. */
  release(): Promise<void>;
}

export const describeVersion = ({ model, segment, version }: VersionIdentity) => `${model}/${segment} v${version}`;
