import { describe, expect, it } from 'vitest';
import { createProblems, updateProblems } from '../testing/objects.ts';
import { table } from '../testing/table.ts';
import { type StorageClass, storageClass } from './storage-class.ts';

const aClass = (more: Partial<StorageClass> = {}): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'fast' },
  provisioner: 'example.com/disk',
  ...more,
});
const zone = (...values: string[]) => ({ key: 'zone', values });

describe('a storage class', () => {
  it.each<[string, Partial<StorageClass>, string[]]>([
    ['as people write it', { parameters: { type: 'ssd' }, reclaimPolicy: 'Retain' }, []],
    ['without a provisioner', { provisioner: '' }, ['provisioner: Required value']],
    [
      'with an odd provisioner',
      { provisioner: 'a/b/c' },
      [expect.stringMatching(/^provisioner: Invalid value: "a\/b\/c": a valid label key/) as never],
    ],
    [
      'with odd choices',
      { reclaimPolicy: 'Recycle', volumeBindingMode: 'Never' as never },
      [
        'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
        'volumeBindingMode: Unsupported value: "Never": supported values: "Immediate", "WaitForFirstConsumer"',
      ],
    ],
    [
      'with a nameless parameter',
      { parameters: { '': 'x' } },
      ['parameters: Invalid value: "": field can not be empty.'],
    ],
    [
      'with too much to say',
      { parameters: { a: 'x'.repeat(256 * 1024) } },
      ['parameters: Too long: may not be more than 262144 bytes'],
    ],
    [
      'with too many parameters',
      { parameters: Object.fromEntries(Array.from({ length: 513 }, (_, i) => [`p${i}`, ''])) },
      ['parameters: Too long: may not be more than 512 bytes'],
    ],
    ['for some zones', { allowedTopologies: [{ matchLabelExpressions: [zone('a', 'b')] }] }, []],
    [
      'for zones that it names badly',
      {
        allowedTopologies: [
          { matchLabelExpressions: [zone('a', 'a'), zone()] },
          { matchLabelExpressions: [zone('x', 'y')] },
          { matchLabelExpressions: [zone('y', 'x')] },
        ],
      },
      [
        'allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
        'allowedTopologies[0].matchLabelExpressions[1].values: Required value',
        'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "zone"',
        'allowedTopologies[2].matchLabelExpressions: Duplicate value: ""',
      ],
    ],
  ])('%s', (_what, more, expected) => {
    expect(createProblems(storageClass, aClass(more))).toEqual(expected);
  });

  it('keeps what its volumes were made with', () => {
    const change = (copy: StorageClass): void => {
      copy.provisioner = 'other';
      copy.parameters = { type: 'hdd' };
      copy.reclaimPolicy = 'Retain';
      copy.volumeBindingMode = 'WaitForFirstConsumer';
    };
    expect(updateProblems(storageClass, aClass(), change)).toEqual([
      'parameters: Forbidden: updates to parameters are forbidden.',
      'provisioner: Forbidden: updates to provisioner are forbidden.',
      'reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.',
      'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ]);
    expect(updateProblems(storageClass, aClass(), (copy) => (copy.allowVolumeExpansion = true))).toEqual([]);
  });

  it('says so when it is the default', () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    expect(table(storageClass, aClass({ metadata: { name: 'fast', annotations } }))).toEqual([
      'NAME  PROVISIONER  RECLAIMPOLICY  VOLUMEBINDINGMODE  ALLOWVOLUMEEXPANSION  AGE',
      'fast (default)  example.com/disk  Delete  Immediate  false  60m',
    ]);
  });
});
