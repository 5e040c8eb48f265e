/** A text of so many letters. */
export async function write({ letters }: { readonly letters: number }): Promise<string> {
  return 'x'.repeat(letters);
}

export async function read({ text }: { readonly text: string }): Promise<number> {
  return text.length;
}
