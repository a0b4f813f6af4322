import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const ok = (args: string, input?: string) => server.kubectlOk(args, input);

/** Words to call it by, what it is made of, and how it is printed. */
const cases: [resource: string, apiVersion: string, kind: string, rest: object, head: string, row: RegExp][] = [
  ['limits', 'v1', 'LimitRange', { spec: { limits: [] } }, 'NAME CREATED AT', /^x +\d{4}-/m],
  ['quota', 'v1', 'ResourceQuota', { spec: { hard: { services: '9' } } }, 'NAME REQUEST LIMIT AGE', /^x +\d+s$/m],
  [
    'pc',
    'scheduling.k8s.io/v1',
    'PriorityClass',
    { value: 5 },
    'NAME VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY',
    /^x +5 +false +\d+s +PreemptLowerPriority$/m,
  ],
  [
    'sc',
    'storage.k8s.io/v1',
    'StorageClass',
    { provisioner: 'a.b/c' },
    'NAME PROVISIONER RECLAIMPOLICY VOLUMEBINDINGMODE ALLOWVOLUMEEXPANSION AGE',
    /^x +a.b\/c +Delete +Immediate +false +\d+s$/m,
  ],
  ['runtimeclass', 'node.k8s.io/v1', 'RuntimeClass', { handler: 'runc' }, 'NAME HANDLER AGE', /^x +runc +\d+s$/m],
  ['netpol', 'networking.k8s.io/v1', 'NetworkPolicy', { spec: {} }, 'NAME POD-SELECTOR AGE', /^x +<none> +\d+s$/m],
  [
    'ing',
    'networking.k8s.io/v1',
    'Ingress',
    { spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } } },
    'NAME CLASS HOSTS ADDRESS PORTS AGE',
    /^x +<none> +\* +80 +\d+s$/m,
  ],
  [
    'ingressclass',
    'networking.k8s.io/v1',
    'IngressClass',
    { spec: { controller: 'a.b/c' } },
    'NAME CONTROLLER PARAMETERS AGE',
    /^x +a.b\/c +<none> +\d+s$/m,
  ],
  [
    'servicecidr',
    'networking.k8s.io/v1',
    'ServiceCIDR',
    { spec: { cidrs: ['10.200.0.0/16'] } },
    'NAME CIDRS AGE',
    /^x +10.200.0.0\/16 +\d+s$/m,
  ],
  [
    'csidriver',
    'storage.k8s.io/v1',
    'CSIDriver',
    { spec: {} },
    'NAME ATTACHREQUIRED PODINFOONMOUNT STORAGECAPACITY TOKENREQUESTS REQUIRESREPUBLISH MODES AGE',
    /^x +true +false +false +<unset> +false +Persistent +\d+s$/m,
  ],
  ['csinode', 'storage.k8s.io/v1', 'CSINode', { spec: { drivers: [] } }, 'NAME DRIVERS AGE', /^x +0 +\d+s$/m],
  [
    'volumeattachment',
    'storage.k8s.io/v1',
    'VolumeAttachment',
    { spec: { attacher: 'a.b', nodeName: 'n', source: { persistentVolumeName: 'pv' } } },
    'NAME ATTACHER PV NODE ATTACHED AGE',
    /^x +a.b +pv +n +false +\d+s$/m,
  ],
  [
    'csistoragecapacity',
    'storage.k8s.io/v1',
    'CSIStorageCapacity',
    { storageClassName: 'fast', capacity: '1Gi' },
    'NAME STORAGECLASSNAME CAPACITY',
    /^x +fast +1Gi$/m,
  ],
  [
    'vac',
    'storage.k8s.io/v1',
    'VolumeAttributesClass',
    { driverName: 'a.b', parameters: { iops: '1' } },
    'NAME DRIVERNAME AGE',
    /^x +a.b +\d+s$/m,
  ],
  [
    'flowschema',
    'flowcontrol.apiserver.k8s.io/v1',
    'FlowSchema',
    { spec: { priorityLevelConfiguration: { name: 'system' } } },
    'NAME PRIORITYLEVEL MATCHINGPRECEDENCE DISTINGUISHERMETHOD AGE MISSINGPL',
    /^x +system +1000 +<none> +\d+s +\?$/m,
  ],
  [
    'prioritylevelconfiguration',
    'flowcontrol.apiserver.k8s.io/v1',
    'PriorityLevelConfiguration',
    { spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } },
    'NAME TYPE NOMINALCONCURRENCYSHARES QUEUES HANDSIZE QUEUELENGTHLIMIT AGE',
    /^x +Limited +30 +<none> +<none> +<none> +\d+s$/m,
  ],
];

describe('kubectl', () => {
  it.each(cases)('makes, prints, describes and deletes %s', async (resource, apiVersion, kind, rest, head, row) => {
    await ok('create -f -', JSON.stringify({ apiVersion, kind, metadata: { name: 'x' }, ...rest }));
    const printed = await ok(`get ${resource} x`);
    expect(printed.split('\n')[0]!.trim().replace(/ {2,}/g, ' ')).toBe(head);
    expect(printed).toMatch(row);
    expect(await ok(`describe ${resource} x`)).toMatch(/^Name: +x$/m);
    expect(await ok(`explain ${resource}`)).toContain(`KIND:       ${kind}`);
    // No controller runs here that would let go of what is protected.
    await ok(`patch ${resource} x --type=merge -p {"metadata":{"finalizers":null}}`);
    expect(await ok(`delete ${resource} x`)).toContain('"x" deleted');
  });

  it('approves requests for certificates', async () => {
    const request =
      'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIV01IOENBUUF3SFRFTk1Bc0dBMVVFQ2d3RVpHVjJjekVNTUFvR0ExVUVBd3dEWVc1dU1Ga3dFd1lIS29aSQp6ajBDQVFZSUtvWkl6ajBEQVFjRFFnQUVhRnYzc1ltenliaFJPRFJhT1pQUTJmWEg4Wlowb2xYeUZuNWJTcmV2CjZrMGNNS1pSaDdaTzJPYnpUL0dySUN1REZOaXdvQWpkbVhyOE5sVDQ2eHNqU3FBQU1Bb0dDQ3FHU000OUJBTUMKQTBjQU1FUUNJQWR3S0lMU0R3WlJMSHpYWkFUQkIwR3EwVXZRS1E3Q0ZJSWEwY2JWM005dkFpQVNnQ3FaZjlqRgpabVQ2U2NmYWw0S1F2dzZwMTl1RndtTzlqbHdBWDNTQitBPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==';
    const spec = { request, signerName: 'example.com/signer', usages: ['client auth'] };
    const object = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'ann' },
      spec,
    };
    await ok('create -f -', JSON.stringify(object));
    expect(await ok('get csr ann')).toMatch(/^ann +\d+s +example.com\/signer +\S+ +<none> +Pending$/m);
    expect(await ok('certificate approve ann')).toContain('certificatesigningrequest.certificates.k8s.io/ann approved');
    expect(await ok('get csr ann')).toMatch(/Approved$/m);
    expect((await server.kubectl('certificate deny ann')).stderr).toContain('is already Approved');
  });

  it('warns of pods that their namespace would not have', async () => {
    await ok('label ns default pod-security.kubernetes.io/warn=baseline');
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'host' },
      spec: { hostNetwork: true, containers: [{ name: 'c', image: 'x' }] },
    };
    const { stderr } = await server.kubectl('create -f -', JSON.stringify(pod));
    expect(stderr).toContain(
      'Warning: would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    );
  });
});
