import { describe, expect, it } from 'vitest';
import { builtinKinds } from './builtin.ts';

describe('the built-in kinds', () => {
  const kinds = builtinKinds();

  it('come in discovery order', () => {
    expect(kinds.all().map(({ group, version, plural }) => [group, version, plural].filter(Boolean).join('/'))).toEqual(
      [
        'v1/bindings',
        'v1/componentstatuses',
        'v1/configmaps',
        'v1/endpoints',
        'v1/events',
        'v1/limitranges',
        'v1/namespaces',
        'v1/nodes',
        'v1/persistentvolumeclaims',
        'v1/persistentvolumes',
        'v1/pods',
        'v1/podtemplates',
        'v1/replicationcontrollers',
        'v1/resourcequotas',
        'v1/secrets',
        'v1/serviceaccounts',
        'v1/services',
        'apps/v1/controllerrevisions',
        'apps/v1/daemonsets',
        'apps/v1/deployments',
        'apps/v1/replicasets',
        'apps/v1/statefulsets',
        'events.k8s.io/v1/events',
        'authentication.k8s.io/v1/selfsubjectreviews',
        'authentication.k8s.io/v1/tokenreviews',
        'authorization.k8s.io/v1/localsubjectaccessreviews',
        'authorization.k8s.io/v1/selfsubjectaccessreviews',
        'authorization.k8s.io/v1/selfsubjectrulesreviews',
        'authorization.k8s.io/v1/subjectaccessreviews',
        'autoscaling/v2/horizontalpodautoscalers',
        'autoscaling/v1/horizontalpodautoscalers',
        'batch/v1/cronjobs',
        'batch/v1/jobs',
        'certificates.k8s.io/v1/certificatesigningrequests',
        'networking.k8s.io/v1/ingressclasses',
        'networking.k8s.io/v1/ingresses',
        'networking.k8s.io/v1/ipaddresses',
        'networking.k8s.io/v1/networkpolicies',
        'networking.k8s.io/v1/servicecidrs',
        'policy/v1/poddisruptionbudgets',
        'rbac.authorization.k8s.io/v1/clusterrolebindings',
        'rbac.authorization.k8s.io/v1/clusterroles',
        'rbac.authorization.k8s.io/v1/rolebindings',
        'rbac.authorization.k8s.io/v1/roles',
        'storage.k8s.io/v1/csidrivers',
        'storage.k8s.io/v1/csinodes',
        'storage.k8s.io/v1/csistoragecapacities',
        'storage.k8s.io/v1/storageclasses',
        'storage.k8s.io/v1/volumeattachments',
        'storage.k8s.io/v1/volumeattributesclasses',
        'scheduling.k8s.io/v1/priorityclasses',
        'scheduling.k8s.io/v1alpha2/podgroups',
        'coordination.k8s.io/v1/leases',
        'node.k8s.io/v1/runtimeclasses',
        'discovery.k8s.io/v1/endpointslices',
        'resource.k8s.io/v1/deviceclasses',
        'resource.k8s.io/v1/resourceclaims',
        'resource.k8s.io/v1/resourceclaimtemplates',
        'resource.k8s.io/v1/resourceslices',
        'flowcontrol.apiserver.k8s.io/v1/flowschemas',
        'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations',
        'metrics.k8s.io/v1beta1/nodes',
        'metrics.k8s.io/v1beta1/pods',
      ],
    );
  });

  it.each(kinds.all())('$kind of "$group" sets defaults on the emptiest object, and again to no effect', (kind) => {
    const apiVersion = kind.group ? `${kind.group}/${kind.version}` : kind.version;
    const object = { apiVersion, kind: kind.kind, metadata: { name: 'x' } };
    kind.setDefaults(object);
    const once = structuredClone(object);
    kind.setDefaults(object);
    expect(object).toEqual(once);
  });

  it.each(kinds.all())('$kind of "$group" prints every column of the emptiest object', (kind) => {
    const apiVersion = kind.group ? `${kind.group}/${kind.version}` : kind.version;
    const object = { apiVersion, kind: kind.kind, metadata: { name: 'x' } };
    kind.setDefaults(object);
    for (const column of kind.columns) expect(column.of(object, 0)).toBeDefined();
  });
});
