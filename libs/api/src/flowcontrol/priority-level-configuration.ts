import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { ILimitResponse } from 'kubernetes-models/flowcontrol.apiserver.k8s.io/v1/LimitResponse';
import type { IPriorityLevelConfiguration } from 'kubernetes-models/flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration';
import type { IQueuingConfiguration } from 'kubernetes-models/flowcontrol.apiserver.k8s.io/v1/QueuingConfiguration';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import type { Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';
import { checkConditions } from './conditions.ts';
import { MANDATORY_PRIORITY_LEVELS } from './mandatory.ts';

export type PriorityLevelConfiguration = Stored<IPriorityLevelConfiguration, 'spec'>;

type Spec = DeepReadonly<PriorityLevelConfiguration['spec']>;
type Limited = NonNullable<Spec['limited']>;

const SHARES_DEFAULT = 30;
const QUEUES_DEFAULT = 64;
const HAND_SIZE_DEFAULT = 8;
const QUEUE_LENGTH_DEFAULT = 50;
const QUEUES_MAX = 10_000_000;
/** A flow is dealt its queues from this many bits of a hash. */
const HASH_BITS = 60;

function checkQueuing(errors: Errors, at: FieldPath, queuing: DeepReadonly<IQueuingConfiguration>): void {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  if (queueLengthLimit <= 0) errors.push(at.child('queueLengthLimit').invalid(queueLengthLimit, 'must be positive'));
  if (queues <= 0) errors.push(at.child('queues').invalid(queues, 'must be positive'));
  else if (queues > QUEUES_MAX) {
    errors.push(at.child('queues').invalid(queues, `must not be greater than ${QUEUES_MAX}`));
  }
  const place = at.child('handSize');
  if (handSize <= 0) errors.push(place.invalid(handSize, 'must be positive'));
  else if (handSize > queues) {
    errors.push(place.invalid(handSize, `should not be greater than queues (${queues})`));
  } else if (Math.ceil(Math.log2(queues) * handSize) > HASH_BITS) {
    const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${HASH_BITS}`;
    errors.push(place.invalid(handSize, detail));
  }
}

function checkResponse(errors: Errors, at: FieldPath, { type, queuing }: DeepReadonly<ILimitResponse>): void {
  const place = at.child('queuing');
  if (type === 'Reject') {
    if (queuing) errors.push(place.forbidden('must be nil if limited.limitResponse.type is not Limited'));
  } else if (type !== 'Queue') errors.push(at.child('type').notSupported(type, ['Queue', 'Reject']));
  else if (!queuing) errors.push(place.required('must not be empty if limited.limitResponse.type is Limited'));
  else checkQueuing(errors, place, queuing);
}

function checkShares(
  errors: Errors,
  at: FieldPath,
  {
    nominalConcurrencyShares: shares = 0,
    lendablePercent: lendable = 0,
  }: Pick<Limited, 'nominalConcurrencyShares' | 'lendablePercent'>,
): void {
  if (shares < 0) errors.push(at.child('nominalConcurrencyShares').invalid(shares, 'must be a non-negative integer'));
  if (lendable < 0 || lendable > 100) {
    errors.push(at.child('lendablePercent').invalid(lendable, 'must be between 0 and 100, inclusive'));
  }
}

function checkLimited(errors: Errors, at: FieldPath, limited: Limited): void {
  checkShares(errors, at, limited);
  checkResponse(errors, at.child('limitResponse'), limited.limitResponse ?? { type: '' });
  const { borrowingLimitPercent: borrowed = 0 } = limited;
  if (borrowed < 0) {
    errors.push(at.child('borrowingLimitPercent').invalid(borrowed, 'if specified, must be a non-negative integer'));
  }
}

function checkSpec(errors: Errors, at: FieldPath, name: string, { type, exempt, limited }: Spec): void {
  if ((name === 'exempt') !== (type === 'Exempt')) {
    errors.push(at.child('type').invalid(type, "type must be 'Exempt' if and only if name is 'exempt'"));
  }
  if (type === 'Exempt') {
    if (limited) errors.push(at.child('limited').forbidden('must be nil if the type is not Limited'));
    if (exempt) checkShares(errors, at.child('exempt'), exempt);
    else errors.push(at.child('exempt').required('must not be empty when type is Exempt'));
  } else if (type === 'Limited') {
    if (exempt) errors.push(at.child('exempt').forbidden('must be nil if the type is not Exempt'));
    if (limited) checkLimited(errors, at.child('limited'), limited);
    else errors.push(at.child('limited').required('must not be empty when type is Limited'));
  } else errors.push(at.child('type').notSupported(type, ['Exempt', 'Limited']));
}

/** The two that every cluster needs stay as they are, but for the shares of 'exempt'. */
function checkMandatory(errors: Errors, at: FieldPath, name: string, spec: Spec): void {
  const mandatory = Object.hasOwn(MANDATORY_PRIORITY_LEVELS, name) ? MANDATORY_PRIORITY_LEVELS[name] : undefined;
  if (!mandatory) return;
  const isExempt = name === 'exempt';
  if (sameValue(spec, isExempt ? { ...mandatory, exempt: spec.exempt } : mandatory)) return;
  const but = isExempt ? " except the 'spec.exempt' field" : '';
  errors.push(at.invalid(spec, `spec of '${name}'${but} must equal the fixed value`));
}

const queuingOf = ({ spec }: DeepReadonly<PriorityLevelConfiguration>) => spec.limited?.limitResponse?.queuing;

/** https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#prioritylevelconfiguration */
export const priorityLevelConfiguration = defineKind<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  namespaced: false,
  generation: true,
  columns: [
    nameColumn,
    {
      name: 'Type',
      type: 'string',
      description: fieldText('flowcontrol.apiserver.k8s.io/v1.PriorityLevelConfigurationSpec.type'),
      of: ({ spec }) => spec.type ?? '',
    },
    {
      name: 'NominalConcurrencyShares',
      type: 'string',
      description: fieldText(
        'flowcontrol.apiserver.k8s.io/v1.LimitedPriorityLevelConfiguration.nominalConcurrencyShares',
      ),
      of: ({ spec }) => spec.limited?.nominalConcurrencyShares ?? '<none>',
    },
    {
      name: 'Queues',
      type: 'string',
      description: fieldText('flowcontrol.apiserver.k8s.io/v1.QueuingConfiguration.queues'),
      of: (level) => queuingOf(level)?.queues ?? '<none>',
    },
    {
      name: 'HandSize',
      type: 'string',
      description: fieldText('flowcontrol.apiserver.k8s.io/v1.QueuingConfiguration.handSize'),
      of: (level) => queuingOf(level)?.handSize ?? '<none>',
    },
    {
      name: 'QueueLengthLimit',
      type: 'string',
      description: fieldText('flowcontrol.apiserver.k8s.io/v1.QueuingConfiguration.queueLengthLimit'),
      of: (level) => queuingOf(level)?.queueLengthLimit ?? '<none>',
    },
    ageColumn,
  ],
  check(errors, root, object) {
    const at = root.child('spec');
    const name = object.metadata.name ?? '';
    checkSpec(errors, at, name, object.spec);
    checkMandatory(errors, at, name, object.spec);
    checkConditions(errors, root, object);
  },
  checkStatusUpdate: checkConditions,
  setDefaults(level) {
    level.spec ??= { type: '' };
    level.status ??= {};
    const { spec } = level;
    if (spec.type === 'Exempt') {
      spec.exempt ??= {};
      spec.exempt.nominalConcurrencyShares ??= 0;
      spec.exempt.lendablePercent ??= 0;
    }
    if (!spec.limited) return;
    spec.limited.nominalConcurrencyShares ??= SHARES_DEFAULT;
    spec.limited.lendablePercent ??= 0;
    const queuing = spec.limited.limitResponse?.queuing;
    if (!queuing) return;
    queuing.queues ||= QUEUES_DEFAULT;
    queuing.handSize ||= HAND_SIZE_DEFAULT;
    queuing.queueLengthLimit ||= QUEUE_LENGTH_DEFAULT;
  },
});
