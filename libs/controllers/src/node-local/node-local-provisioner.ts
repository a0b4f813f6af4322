import {
  annotationOf,
  NODE_LOCAL_FINALIZER,
  NODE_LOCAL_PROVISIONER,
  type Node,
  node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolume,
  persistentVolumeClaim,
  type StorageClass,
  storageClass,
  storageClassOf,
  VOLUME_ANNOTATION,
  VOLUME_DIRECTORY_ANNOTATION,
  VOLUME_NODE_ANNOTATION,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, type Plan } from '@periplus/reconcile';
import { annotate } from '../persistent-volume/bind.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;

const HOSTNAME = 'kubernetes.io/hostname';
/** Of a directory of one node. */
const ACCESS_MODES = ['ReadWriteOnce', 'ReadWriteOncePod'];

/**
 * Makes volumes that are directories of the node on which the claim's first pod is going to run. The object is all
 * that is made here: the node makes the directory when it first mounts it.
 */
export const nodeLocalProvisioner: Controller<PersistentVolumeClaim> = defineController<PersistentVolumeClaim>({
  name: 'node-local-provisioner',
  for: persistentVolumeClaim,
  reportsAs: NODE_LOCAL_PROVISIONER,
  reconcile({ namespace, name }, view) {
    const claim = view.get(persistentVolumeClaim, namespace, name);
    if (!claim || claim.metadata.deletionTimestamp || claim.spec.volumeName) return idle;
    if (annotationOf(claim, 'provisioner') !== NODE_LOCAL_PROVISIONER) return idle;
    const ofClass = view.get(storageClass, '', storageClassOf(claim));
    if (ofClass?.provisioner !== NODE_LOCAL_PROVISIONER) return idle;
    if (view.get(persistentVolume, '', volumeNameOf(claim))) return idle;
    const problem = obstacle(claim);
    if (problem) return failed(claim, ofClass, problem);
    const selected = annotationOf(claim, 'selectedNode');
    if (selected === undefined) {
      return failed(claim, ofClass, 'no node is selected: the class must have volumeBindingMode WaitForFirstConsumer');
    }
    const keeper = view.get(node, '', selected);
    const directory = keeper?.metadata.annotations?.[VOLUME_DIRECTORY_ANNOTATION];
    if (keeper && directory) return provision(claim, ofClass, keeper, directory);
    // The scheduler chooses again.
    const why = keeper ? `node ${selected} has no directory for volumes` : `node ${JSON.stringify(selected)} not found`;
    const giveBack = annotate(claim, { [VOLUME_ANNOTATION.selectedNode]: null });
    return { ...failed(claim, ofClass, why), steps: [[giveBack]] };
  },
});

/** It follows from the claim, so it is not made twice. */
const volumeNameOf = ({ metadata }: Claim): string => `pvc-${metadata.uid}`;

/** What the claim asks for that a directory can't be. */
function obstacle({ spec }: Claim): string | undefined {
  if (spec.selector) return 'claim.Spec.Selector is not supported';
  if (spec.volumeMode === 'Block') return 'block volumes are not supported';
  if (spec.dataSource || spec.dataSourceRef) return 'data sources are not supported';
  if (spec.volumeAttributesClassName) return 'classes of volume attributes are not supported';
  const other = spec.accessModes?.find((mode) => !ACCESS_MODES.includes(mode));
  return other && `access mode ${other} is not supported, only ${ACCESS_MODES.join(' and ')} are`;
}

const failed = (about: Claim, { metadata }: DeepReadonly<StorageClass>, why: string): Plan => ({
  steps: [],
  events: [
    {
      ...{ about, type: 'Warning', reason: 'ProvisioningFailed' },
      message: `failed to provision volume with StorageClass ${JSON.stringify(metadata.name)}: ${why}`,
    },
  ],
});

function provision(
  claim: Claim,
  ofClass: DeepReadonly<StorageClass>,
  keeper: DeepReadonly<Node>,
  directory: string,
): Plan {
  const name = volumeNameOf(claim);
  const create: Command = {
    ...{ verb: 'create', kind: persistentVolume, namespace: '', name },
    object: volumeOf(claim, ofClass, keeper, `${directory}/${name}`),
  };
  const { namespace, name: claimName } = claim.metadata;
  return {
    steps: [[create]],
    events: [
      {
        ...{ about: claim, type: 'Normal', reason: 'Provisioning' },
        message: `External provisioner is provisioning volume for claim "${namespace}/${claimName}"`,
      },
      {
        ...{ about: claim, type: 'Normal', reason: 'ProvisioningSucceeded', after: create },
        message: `Successfully provisioned volume ${name}`,
      },
    ],
  };
}

function volumeOf(
  { apiVersion, kind, metadata, spec }: Claim,
  ofClass: DeepReadonly<StorageClass>,
  keeper: DeepReadonly<Node>,
  path: string,
): DeepReadonly<PersistentVolume> {
  const { namespace, name, uid, resourceVersion } = metadata;
  const node = keeper.metadata.name ?? '';
  const hostname = keeper.metadata.labels?.[HOSTNAME] ?? node;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: path.slice(path.lastIndexOf('/') + 1),
      annotations: { [VOLUME_ANNOTATION.provisionedBy]: NODE_LOCAL_PROVISIONER, [VOLUME_NODE_ANNOTATION]: node },
      finalizers: [NODE_LOCAL_FINALIZER],
    },
    spec: {
      accessModes: spec.accessModes,
      capacity: { storage: spec.resources?.requests?.storage ?? '0' },
      claimRef: { apiVersion, kind, namespace, name, uid, resourceVersion },
      local: { path },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: 'In', values: [hostname] }] }],
        },
      },
      persistentVolumeReclaimPolicy: ofClass.reclaimPolicy ?? 'Delete',
      storageClassName: ofClass.metadata.name,
      volumeMode: 'Filesystem',
    },
  };
}
