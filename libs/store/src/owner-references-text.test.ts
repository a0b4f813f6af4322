import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ownerReferencesText } from './owner-references-text.ts';

const textOf = (object: object): string => {
  const json = Buffer.from(JSON.stringify(object));
  const head = '"metadata":{';
  return ownerReferencesText(json, json.indexOf(head) + head.length);
};
const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u-1', controller: true };

it('finds the owners of the object itself', () => {
  const metadata = { labels: { a: 'b' }, ownerReferences: [owner, { ...owner, uid: 'u]"}2' }], uid: 'x' };
  expect(JSON.parse(textOf({ kind: 'Pod', metadata, spec: {} }))).toEqual(metadata.ownerReferences);
});

it('takes none for its own that stand in a template, or in a string', () => {
  const template = { metadata: { ownerReferences: [owner] } };
  const annotations = { 'last-applied': JSON.stringify({ metadata: { ownerReferences: [owner] } }) };
  expect(textOf({ metadata: { name: 'a', annotations }, spec: { template } })).toBe('');
  expect(textOf({ metadata: {}, spec: { template } })).toBe('');
  expect(textOf({ metadata: { labels: { ownerReferences: '[' } }, data: { ownerReferences: '[]' } })).toBe('');
});

it('says what parsing says, whatever the object', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('ownerReferences', '"ownerReferences":[', '\\', '}', ']'));
  const map = fc.dictionary(text, text);
  const owners = fc.array(fc.record({ name: text, uid: text }), { maxLength: 3 });
  const metadata = fc.record({ labels: map, ownerReferences: owners, annotations: map }, { requiredKeys: [] });
  const object = fc.record({
    metadata,
    spec: fc.record({ template: fc.record({ metadata }), ownerReferences: owners }),
  });
  fc.assert(
    fc.property(object, (any) => {
      const found = textOf(any);
      expect(found && JSON.parse(found)).toEqual(any.metadata.ownerReferences ?? '');
    }),
  );
});
