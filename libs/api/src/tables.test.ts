import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiVersionOf } from '@periplus/apimachinery';
import { expect, it } from 'vitest';
import { builtinKinds } from './builtin.ts';

it('shows every kind in the columns that Kubernetes shows it in', () => {
  const golden = readFileSync(join(import.meta.dirname, 'testdata/columns.txt'), 'utf8').split('\n');
  const columnsOf = new Map(
    golden.filter((line) => line.includes(': ')).map((line) => line.split(': ') as [string, string]),
  );
  for (const kind of builtinKinds()
    .all()
    .filter(({ verbs }) => verbs.includes('list'))) {
    const resource = `${apiVersionOf(kind)} ${kind.plural}`;
    const columns = kind.columns.map(({ name, priority }) => `${name}${priority ? '*' : ''}`).join(', ');
    expect(`${resource}: ${columns}`).toBe(`${resource}: ${columnsOf.get(resource) ?? 'Name, Created At'}`);
  }
});
