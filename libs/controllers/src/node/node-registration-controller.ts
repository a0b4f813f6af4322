import { node } from '@periplus/api';
import { type Controller, defineController, watchRule } from '@periplus/reconcile';
import { namedBy, uidRefOf } from '../uid-ref.ts';

/**
 * Tells of nodes that came or went. As in Kubernetes whoever begins to lead tells of all that are there: that is since
 * when somebody looks after them.
 */
export const nodeRegistrationController: Controller = defineController({
  name: 'node-registration',
  for: null,
  watches: [
    watchRule(
      node,
      (now, old) => (now && old ? [] : [uidRefOf((now ?? old)!)]),
      ({ type }) => type !== 'modified',
    ),
  ],
  reportsAs: 'node-controller',
  reconcile(ref, view) {
    const { name, uid } = namedBy(ref);
    const isThere = view.get(node, '', name)?.metadata.uid === uid;
    const [reason, what] = isThere
      ? ['RegisteredNode', `Registered Node ${name} in Controller`]
      : ['RemovingNode', `Removing Node ${name} from Controller`];
    const about = { apiVersion: 'v1', kind: 'Node', metadata: { name, uid } };
    return { steps: [], events: [{ about, type: 'Normal', reason, message: `Node ${name} event: ${what}` }] };
  },
});
