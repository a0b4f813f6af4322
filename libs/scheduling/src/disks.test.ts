import { describe, expect, it } from 'vitest';
import { disksCollide, disksOf } from './disks.ts';
import { makePod } from './testing/objects.ts';

const disksWith = (...volumes: object[]) => disksOf(makePod('p', { volumes }));
const gce = (pdName: string, readOnly?: boolean) => ({ gcePersistentDisk: { pdName, readOnly } });
const aws = (volumeID: string, readOnly?: boolean) => ({ awsElasticBlockStore: { volumeID, readOnly } });
const iscsi = (iqn: string, readOnly?: boolean) => ({ iscsi: { iqn, readOnly, targetPortal: '10.0.0.1', lun: 0 } });
const rbd = (monitors: string[], image = 'i', readOnly?: boolean, pool = 'rbd') => ({
  rbd: { monitors, image, pool, readOnly },
});

describe('two pods with disks', () => {
  it.each<[string, object, object, boolean]>([
    ['the same GCE disk', gce('d'), gce('d'), true],
    ['the same GCE disk, of which one only reads', gce('d', true), gce('d'), true],
    ['the same GCE disk, which both only read', gce('d', true), gce('d', true), false],
    ['two GCE disks', gce('d'), gce('e'), false],
    ['the same AWS disk', aws('d'), aws('d'), true],
    ['the same AWS disk, though both only read', aws('d', true), aws('d', true), true],
    ['two AWS disks', aws('d'), aws('e'), false],
    ['disks of one name, but of two kinds', gce('d'), aws('d'), false],
    ['the same iSCSI target', iscsi('q'), iscsi('q', true), true],
    ['the same iSCSI target, which both only read', iscsi('q', true), iscsi('q', true), false],
    ['two iSCSI targets', iscsi('q'), iscsi('r'), false],
    ['an RBD image and a monitor in common', rbd(['a', 'b']), rbd(['c', 'b']), true],
    ['an RBD image, which both only read', rbd(['a'], 'i', true), rbd(['a'], 'i', true), false],
    ['an RBD image, but no monitor', rbd(['a']), rbd(['b']), false],
    ['a monitor, but not the RBD image', rbd(['a'], 'i'), rbd(['a'], 'j'), false],
    ['RBD images of two pools', rbd(['a'], 'i', false, 'x'), rbd(['a'], 'i', false, 'y'), false],
    ['nothing in common but other volumes', { emptyDir: {} }, gce('d'), false],
  ])('that have %s', (_, one, other, expected) => {
    const [mine, theirs] = [disksWith({ emptyDir: {} }, one) ?? [], disksWith(other)!];
    expect([disksCollide(mine, theirs), disksCollide(theirs, mine)]).toEqual([expected, expected]);
  });
});

it('finds none in a pod without any', () => {
  expect(disksOf(makePod('p'))).toBeNull();
  expect(disksWith({ persistentVolumeClaim: { claimName: 'data' } })).toBeNull();
});
