import type { IncomingMessage } from 'node:http';
import { boolean } from './query.ts';

/** Programs for people, who like JSON indented. As kube-apiserver. */
const FOR_PEOPLE = /^(curl|Wget|Mozilla\/5\.0)/;

/** Whether the answer is indented: for people, or who asks for it. */
export function isPretty(request: IncomingMessage, query: string): boolean {
  if (query.includes('pretty')) {
    const asked = new URLSearchParams(query).get('pretty');
    if (asked) return boolean(asked);
  }
  const agent = request.headers['user-agent'];
  return agent !== undefined && FOR_PEOPLE.test(agent);
}
