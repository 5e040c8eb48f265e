/** The message of whatever was thrown. An error of another realm (a native library under Jest) is no `instanceof Error` here. */
export function messageOf(thrown: unknown): string {
  const message = typeof thrown === 'object' && thrown !== null && 'message' in thrown ? thrown.message : undefined;
  return typeof message === 'string' ? message : String(thrown);
}
