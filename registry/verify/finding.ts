/** Something that is wrong, with the object it is about. */
export interface Finding {
  /** Key of the object; of one that is missing, where it ought to be. */
  readonly object: string;
  /**
   * `altered`: its bytes are not those that were written. `missing`: something that is there says that it was there. `unsigned` and `untrusted`: no
   * signature, or none that counts here. `unknown`: nothing says what it is, so that nothing could check it.
   */
  readonly problem: 'altered' | 'missing' | 'unsigned' | 'untrusted' | 'unknown';
  /** What the object is, as far as anything tells. */
  readonly is?: string;
  /** `model/segment@N` of the versions that rest on it, where it is content. */
  readonly versions?: readonly string[];
  /** In words, with what needs it. */
  readonly what: string;
  readonly expected?: string;
  readonly found?: string;
}
