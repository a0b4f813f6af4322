import type { LocalSubjectAccessReview, SelfSubjectAccessReview, SubjectAccessReview } from '@periplus/api';
import { type FieldRequirement, FieldSelector, parseFieldSelector, parseLabelSelector } from '@periplus/apimachinery';
import type { ClusterAuthorizer } from '../authorization/authorizer.ts';
import type { Attributes, User } from '../types.ts';
import type { Answer } from './answer.ts';

type AccessSpec = SelfSubjectAccessReview['spec'];
type ResourceAttributes = NonNullable<AccessSpec['resourceAttributes']>;
type FieldSelectorAttributes = NonNullable<ResourceAttributes['fieldSelector']>;
type LabelSelectorAttributes = NonNullable<ResourceAttributes['labelSelector']>;
type Status = NonNullable<SubjectAccessReview['status']>;

/** What was understood of a selector. What was not is left out: that asks for more, and so is refused rather than allowed. */
interface Understood {
  requirements: FieldRequirement[];
  isWhole: boolean;
}

function understood({ rawSelector, requirements }: FieldSelectorAttributes): Understood {
  const found: Understood = { requirements: [], isWhole: true };
  if (requirements?.length) {
    for (const { key, operator, values = [] } of requirements) {
      const known = { In: '=', NotIn: '!=' } as const;
      const sign = known[operator as keyof typeof known];
      if (sign && values.length === 1) found.requirements.push({ field: key, operator: sign, value: values[0]! });
      else found.isWhole = false;
    }
  } else if (rawSelector) {
    try {
      found.requirements.push(...parseFieldSelector(rawSelector).requirements);
    } catch {
      found.isWhole = false;
    }
  }
  return found;
}

/** No authorizer looks at labels; a selector that is none is told all the same. */
function isLabelSelector({ rawSelector, requirements }: LabelSelectorAttributes): boolean {
  if (requirements?.length) {
    return requirements.every(({ operator, values = [] }) =>
      operator === 'In' || operator === 'NotIn'
        ? values.length > 0
        : (operator === 'Exists' || operator === 'DoesNotExist') && values.length === 0,
    );
  }
  try {
    parseLabelSelector(rawSelector ?? '');
    return true;
  } catch {
    return false;
  }
}

interface Question {
  attributes: Attributes;
  /** What of it was not understood. */
  problems: string[];
}

function questionOf({ resourceAttributes: of, nonResourceAttributes }: AccessSpec): Question {
  const nothing = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '', path: '' };
  if (!of) {
    const { verb = '', path = '' } = nonResourceAttributes!;
    return { attributes: { ...nothing, isResource: false, verb, path }, problems: [] };
  }
  const problems: string[] = [];
  const ignored = (selector: string, partially: string): void => {
    problems.push(`spec.resourceAttributes.${selector} ${partially}ignored due to parse error`);
  };
  const fields = of.fieldSelector && understood(of.fieldSelector);
  if (fields && !fields.isWhole) ignored('fieldSelector', fields.requirements.length > 0 ? 'partially ' : '');
  if (of.labelSelector && !isLabelSelector(of.labelSelector)) ignored('labelSelector', '');
  const { verb = '', group = '', version = '', resource = '', subresource = '', namespace = '', name = '' } = of;
  const attributes = { ...nothing, isResource: true, verb, group, version, resource, subresource, namespace, name };
  return {
    attributes: fields ? { ...attributes, fieldSelector: new FieldSelector(fields.requirements) } : attributes,
    problems,
  };
}

function decide(authorizer: ClusterAuthorizer, user: User, spec: AccessSpec): Status {
  const { attributes, problems } = questionOf(spec);
  const { allowed, reason } = authorizer.explain(user, attributes);
  return { allowed, ...(reason && { reason }), ...(problems.length > 0 && { evaluationError: problems.join('; ') }) };
}

/** Whether somebody may do something. */
export const reviewAccess: Answer<SubjectAccessReview | LocalSubjectAccessReview> = ({ authorizer }, _, review) => {
  const { user: name = '', uid = '', groups = [], extra = {} } = review.spec;
  review.status = decide(authorizer, { name, uid, groups, extra }, review.spec);
};

/** Whether the user who asks may do something. */
export const reviewOwnAccess: Answer<SelfSubjectAccessReview> = ({ authorizer }, { user }, review) => {
  review.status = decide(authorizer, user, review.spec);
};
