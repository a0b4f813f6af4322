import { annotationOf, claimNamesOf, pod, type StorageClass, storageClassOf, VOLUME_ANNOTATION } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Plan, PlannedEvent } from '@periplus/reconcile';
import { annotate } from './bind.ts';
import type { Claim } from './claim-index.ts';

/** Provisioners of this space were parts of Kubernetes; the one that is left stands for none. */
const IN_TREE = 'kubernetes.io/';

const tell = (
  about: Claim,
  type: PlannedEvent['type'],
  reason: string,
  message: string,
): NonNullable<Plan['events']> => [{ about, type, reason, message }];

/** No volume fits the claim: says what it waits for, and names the provisioner that is to make one. */
export function awaitVolume(
  claim: Claim,
  ofClass: DeepReadonly<StorageClass> | undefined,
  waits: boolean,
  view: View,
): Plan {
  const name = storageClassOf(claim);
  if (name === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set';
    return { steps: [], events: tell(claim, 'Normal', 'FailedBinding', message) };
  }
  if (!ofClass) {
    const message = `storageclass.storage.k8s.io ${JSON.stringify(name)} not found`;
    return { steps: [], events: tell(claim, 'Warning', 'ProvisioningFailed', message) };
  }
  if (waits) return { steps: [], events: awaitConsumer(claim, view) };
  const { provisioner } = ofClass;
  if (provisioner.startsWith(IN_TREE)) {
    const message = `no volume plugin matched name: ${provisioner}`;
    return { steps: [], events: tell(claim, 'Warning', 'ProvisioningFailed', message) };
  }
  const isAsked = annotationOf(claim, 'provisioner') === provisioner;
  const annotations = {
    [VOLUME_ANNOTATION.provisioner]: provisioner,
    [VOLUME_ANNOTATION.betaProvisioner]: provisioner,
  };
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  return {
    steps: isAsked ? [] : [[annotate(claim, annotations)]],
    events: isAsked ? [] : tell(claim, 'Normal', 'ExternalProvisioning', message),
  };
}

/** Claims that wait for their pod are rare and do so for a moment, so the pods of the namespace are looked through. */
function awaitConsumer(claim: Claim, view: View): Plan['events'] {
  const { namespace = '', name = '' } = claim.metadata;
  const waiting = view.list(pod, namespace).filter((one) => !one.spec.nodeName && claimNamesOf(one).includes(name));
  if (waiting.length === 0) {
    const message = 'waiting for first consumer to be created before binding';
    return tell(claim, 'Normal', 'WaitForFirstConsumer', message);
  }
  const pods = waiting.map(({ metadata }) => metadata.name).sort();
  const message = `waiting for pod ${pods.join(',')} to be scheduled`;
  return tell(claim, 'Normal', 'WaitForPodScheduled', message);
}
