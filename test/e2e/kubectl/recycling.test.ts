import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Shell } from './shell.ts';

let shell: Shell;
beforeAll(async () => {
  shell = await Shell.start('recycling');
});
afterAll(() => shell?.cluster[Symbol.asyncDispose]());

const volume = `
apiVersion: v1
kind: PersistentVolume
metadata: {name: shared}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Recycle
  storageClassName: ""
  hostPath: {path: /srv/shared}
`;
const claim = (name: string): string => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ${name}}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  resources: {requests: {storage: 1Gi}}
`;

it('a volume of the policy Recycle is emptied by a pod and goes to the next claim', async () => {
  await shell.ok(`apply -f ${shell.file('volume.yaml', volume)} -f ${shell.file('first.yaml', claim('first'))}`);
  await shell.ok('wait pvc/first --for=jsonpath={.status.phase}=Bound --timeout=30s');
  await shell.ok('delete pvc first');
  await shell.ok('wait pv/shared --for=jsonpath={.status.phase}=Available --timeout=60s');
  await eventually(async () => {
    const described = await shell.ok('describe pv shared');
    expect(described).toMatch(/Normal +VolumeRecycled +\S+ +persistentvolume-controller +Volume recycled/);
    expect(await shell.ok('get pods -n default -o name')).toBe('');
  });
  await shell.ok(`apply -f ${shell.file('second.yaml', claim('second'))}`);
  await shell.ok('wait pvc/second --for=jsonpath={.status.phase}=Bound --timeout=30s');
});
