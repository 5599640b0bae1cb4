/** True for a subject that a filter of NATS names: `*` is one token, `>` at the end all that follow. */
export const matchesSubject = (filter: string, subject: string): boolean => {
  const wanted = filter.split(".")
  const tokens = subject.split(".")
  for (const [index, token] of wanted.entries()) {
    if (token === ">") return index === wanted.length - 1 && tokens.length > index
    if (tokens[index] === undefined || (token !== "*" && token !== tokens[index])) return false
  }
  return wanted.length === tokens.length
}
