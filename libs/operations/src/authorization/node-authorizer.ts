import {
  claimNamesOf,
  keeperOf,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type ResourceSlice,
  references,
  resourceClaimNamesOf,
  type VolumeAttachment,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Attributes, Decision, User } from '../types.ts';
import { ALLOWED, decideByName, READ, refused } from './node-rules.ts';
import { volumeSecrets } from './volume-references.ts';

/** Marks the image of a pod that a node runs by itself. */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
const NODE_USER_PREFIX = 'system:node:';
const NODES_GROUP = 'system:nodes';

/** The name of the node that `user` is; undefined for everybody else. */
export const nodeNameOf = (user: User): string | undefined =>
  user.name.startsWith(NODE_USER_PREFIX) && user.groups.includes(NODES_GROUP)
    ? user.name.slice(NODE_USER_PREFIX.length)
    : undefined;

/** Where the authorizer finds what belongs to a node. */
export interface NodeObjects {
  podsOn(node: string): Iterable<DeepReadonly<Pod>>;
  claim(namespace: string, name: string): DeepReadonly<PersistentVolumeClaim> | undefined;
  volume(name: string): DeepReadonly<PersistentVolume> | undefined;
  attachment(name: string): DeepReadonly<VolumeAttachment> | undefined;
  slice(name: string): DeepReadonly<ResourceSlice> | undefined;
}

/**
 * Limits a node to what its own pods need. What an object says (a create's nodeName) is checked by the admission
 * `node-restriction.ts`. https://kubernetes.io/docs/reference/access-authn-authz/node/
 */
export class NodeAuthorizer {
  private readonly objects: NodeObjects;

  constructor(objects: NodeObjects) {
    this.objects = objects;
  }

  decide(node: string, asked: Attributes): Decision {
    if (!asked.isResource) return refused();
    switch (`${asked.group}/${asked.resource}`) {
      case '/secrets':
        return this.read(node, asked, (pod) => this.needsSecret(pod, asked));
      case '/configmaps':
        return this.read(node, asked, (pod) => isHere(pod, asked) && references(pod, 'configMap', asked.name));
      case '/persistentvolumeclaims':
        return this.claims(node, asked);
      case '/persistentvolumes':
        return this.volumes(node, asked);
      case 'storage.k8s.io/volumeattachments':
        return this.get(node, asked, () => this.objects.attachment(asked.name)?.spec.nodeName === node);
      case 'resource.k8s.io/resourceclaims':
        return this.get(node, asked, () =>
          this.somePod(node, (pod) => isHere(pod, asked) && resourceClaimNamesOf(pod).includes(asked.name)),
        );
      case 'resource.k8s.io/resourceslices':
        return this.slices(node, asked);
      case '/serviceaccounts':
        return this.token(node, asked);
      case '/pods':
        return this.pods(node, asked);
      default:
        return decideByName(node, asked);
    }
  }

  private read(node: string, asked: Attributes, needs: (pod: DeepReadonly<Pod>) => boolean): Decision {
    if (!READ.includes(asked.verb)) return refused('can only read resources of this type');
    if (asked.subresource) return refused('cannot read subresource');
    if (!asked.namespace) return refused('can only read namespaced object of this type');
    return this.related(node, asked, () => this.somePod(node, needs));
  }

  private get(node: string, asked: Attributes, isRelated: () => boolean): Decision {
    if (asked.verb !== 'get') return refused('can only get individual resources of this type');
    if (asked.subresource) return refused('cannot get subresource');
    return this.related(node, asked, isRelated);
  }

  private related(node: string, asked: Attributes, isRelated: () => boolean): Decision {
    if (!asked.name) return refused('No Object name found');
    return isRelated() ? ALLOWED : refused(`no relationship found between node '${node}' and this object`);
  }

  /** A node makes mirrors of its static pods by itself, so they open nothing. */
  private somePod(node: string, needs: (pod: DeepReadonly<Pod>) => boolean): boolean {
    for (const pod of this.objects.podsOn(node)) {
      if (pod.metadata.annotations?.[MIRROR_ANNOTATION] === undefined && needs(pod)) return true;
    }
    return false;
  }

  private needsSecret(pod: DeepReadonly<Pod>, { namespace, name }: Attributes): boolean {
    if (pod.metadata.namespace === namespace && references(pod, 'secret', name)) return true;
    return claimNamesOf(pod).some((claim) => {
      const volume = this.volumeOf(pod.metadata.namespace!, claim);
      return volume && volumeSecrets(volume).some((one) => one.name === name && one.namespace === namespace);
    });
  }

  /** The volume that a claim is bound to, when both say so. */
  private volumeOf(namespace: string, name: string): DeepReadonly<PersistentVolume> | undefined {
    const volumeName = this.objects.claim(namespace, name)?.spec?.volumeName;
    const volume = volumeName ? this.objects.volume(volumeName) : undefined;
    const bound = volume?.spec?.claimRef;
    return bound?.namespace === namespace && bound.name === name ? volume : undefined;
  }

  /** Besides reading what its pods use, a node lets go of volumes that it keeps; see `node-volumes.ts`. */
  private volumes(node: string, asked: Attributes): Decision {
    if (asked.verb === 'patch' && !asked.subresource)
      return this.related(node, asked, () => this.keeps(node, asked.name));
    return this.get(node, asked, () => this.needsVolume(node, asked.name));
  }

  private keeps(node: string, name: string): boolean {
    const volume = this.objects.volume(name);
    return volume !== undefined && keeperOf(volume) === node;
  }

  private needsVolume(node: string, name: string): boolean {
    const bound = this.objects.volume(name)?.spec?.claimRef;
    if (!bound?.name) return false;
    return this.somePod(
      node,
      (pod) => pod.metadata.namespace === bound.namespace && claimNamesOf(pod).includes(bound.name!),
    );
  }

  private claims(node: string, asked: Attributes): Decision {
    const isRelated = () => this.somePod(node, (pod) => isHere(pod, asked) && claimNamesOf(pod).includes(asked.name));
    if (asked.subresource !== 'status') return this.get(node, asked, isRelated);
    if (asked.verb !== 'update' && asked.verb !== 'patch') return refused('can only get/update/patch this type');
    return this.related(node, asked, isRelated);
  }

  /** What its drivers say about its devices. Whose devices are created is checked by admission. */
  private slices(node: string, asked: Attributes): Decision {
    if (asked.subresource) return refused('cannot authorize ResourceSlice subresources');
    switch (asked.verb) {
      case 'create':
        return ALLOWED;
      case 'get':
      case 'update':
      case 'patch':
      case 'delete':
        return this.related(node, asked, () => this.objects.slice(asked.name)?.spec.nodeName === node);
      case 'list':
      case 'watch':
      case 'deletecollection':
        if (asked.fieldSelector?.exactValueOf('spec.nodeName') === node) return ALLOWED;
        return refused('can only list/watch/deletecollection resourceslices with nodeName field selector');
      default:
        return refused(
          'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
        );
    }
  }

  private token(node: string, asked: Attributes): Decision {
    if (asked.verb !== 'create' || !asked.name) {
      return refused('can only create tokens for individual service accounts');
    }
    if (asked.subresource !== 'token') return refused('can only create token subresource of serviceaccount');
    const runsAs = (pod: DeepReadonly<Pod>) => isHere(pod, asked) && pod.spec.serviceAccountName === asked.name;
    return this.related(node, asked, () => this.somePod(node, runsAs));
  }

  private isItsPod(node: string, asked: Attributes): boolean {
    for (const pod of this.objects.podsOn(node)) {
      if (isHere(pod, asked) && pod.metadata.name === asked.name) return true;
    }
    return false;
  }

  private pods(node: string, asked: Attributes): Decision {
    const what = asked.subresource ? `${asked.verb} ${asked.subresource}` : asked.verb;
    switch (what) {
      case 'get':
        return this.related(node, asked, () => this.isItsPod(node, asked));
      case 'list':
      case 'watch':
        if (asked.fieldSelector?.exactValueOf('spec.nodeName') === node) return ALLOWED;
        if (asked.name) return this.related(node, asked, () => this.isItsPod(node, asked));
        return refused('can only list/watch pods with spec.nodeName field selector');
      case 'create':
      case 'delete':
      case 'update status':
      case 'patch status':
      case 'create eviction':
        return ALLOWED;
      default:
        return refused();
    }
  }
}

const isHere = (pod: DeepReadonly<Pod>, { namespace }: Attributes): boolean => pod.metadata.namespace === namespace;
