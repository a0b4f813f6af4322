/** How clients prove who they are, besides certificates. */
export const SECURITY = {
  type: 'apiKey',
  description: 'Bearer Token authentication',
  name: 'authorization',
  in: 'header',
} as const;

const WORDS: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 401: 'Unauthorized' };

/** What a code of an answer means. */
export const wordOf = (code: number): string => WORDS[code] ?? String(code);
