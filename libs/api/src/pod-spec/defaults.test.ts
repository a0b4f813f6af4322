import { describe, expect, it } from 'vitest';
import { pod } from '../core/pod.ts';
import { aPodWith, created } from '../testing/objects.ts';

describe('defaults of a pod', () => {
  it('are those of Kubernetes', () => {
    const { spec, status } = created(
      pod,
      aPodWith({ ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '' }] }),
    );
    expect(spec).toEqual({
      containers: [
        {
          name: 'main',
          image: 'web:1',
          imagePullPolicy: 'IfNotPresent',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          env: [{ name: 'A' }],
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    });
    expect(status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });

  it.each([
    ['web', 'Always'],
    ['web:latest', 'Always'],
    ['web:1.2', 'IfNotPresent'],
    ['registry.example.com:5000/web', 'Always'],
    ['registry.example.com:5000/web:1', 'IfNotPresent'],
    ['web@sha256:0123', 'IfNotPresent'],
    ['web:latest@sha256:0123', 'Always'],
  ])('pull %s %s', (image, policy) => {
    expect(created(pod, aPodWith({ image })).spec.containers[0]?.imagePullPolicy).toBe(policy);
  });

  it('take limits for requests', () => {
    const { spec } = created(
      pod,
      aPodWith({ resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } } }),
    );
    expect(spec.containers[0]?.resources).toEqual({
      limits: { cpu: '1', memory: '1Gi' },
      requests: { cpu: '500m', memory: '1Gi' },
    });
  });

  it('give ports of a pod on the network of the host the same number there', () => {
    const { spec } = created(pod, aPodWith({ ports: [{ containerPort: 80 }] }, { hostNetwork: true }));
    expect(spec.containers[0]?.ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'TCP' }]);
  });

  it.each<[string, object, object]>([
    ['rbd', { image: 'i', monitors: ['m'] }, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }],
    ['iscsi', { iqn: 'q', lun: 0, targetPortal: 't', iscsiInterface: '' }, { iscsiInterface: 'default' }],
    ['scaleIO', { gateway: 'g', system: 's' }, { fsType: 'xfs', storageMode: 'ThinProvisioned' }],
    [
      'azureDisk',
      { diskName: 'd', diskURI: 'u', kind: 'Managed' },
      { cachingMode: 'ReadWrite', fsType: 'ext4', readOnly: false },
    ],
  ])('say of a disk of type %s what is not said', (type, disk, added) => {
    const { spec } = created(pod, aPodWith({}, { volumes: [{ name: 'a', [type]: disk }] }));
    expect(spec.volumes).toEqual([{ name: 'a', [type]: { ...disk, ...added } }]);
  });

  it('fill in probes, volumes and the two names of the service account', () => {
    const { spec } = created(
      pod,
      aPodWith(
        { readinessProbe: { httpGet: { port: 80 } } },
        { serviceAccountName: 'robot', volumes: [{ name: 'a' }, { name: 'b', secret: { secretName: 's' } }] },
      ),
    );
    expect(spec.containers[0]?.readinessProbe).toEqual({
      httpGet: { port: 80, path: '/', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    });
    expect(spec.volumes).toEqual([
      { name: 'a', emptyDir: {} },
      { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
    ]);
    expect([spec.serviceAccountName, spec.serviceAccount]).toEqual(['robot', 'robot']);
  });

  it('leave out what says nothing, as Go clients do', () => {
    const { spec } = created(pod, aPodWith({ tty: false, workingDir: '' }, { hostNetwork: false, nodeName: '' }));
    expect(Object.keys(spec)).not.toContain('hostNetwork');
    expect(Object.keys(spec)).not.toContain('nodeName');
    expect(Object.keys(spec.containers[0] ?? {})).not.toContain('tty');
  });
});
