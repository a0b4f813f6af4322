/** Writes what OpenAPI says of the fields that sources ask about with `fieldText('v1.PodStatus.podIP')`. */
import { definitions } from '../../libs/api/src/definitions.ts';

const CALL = /\bfieldText\(\s*'([^']+)'/g;
/** OpenAPI lists the values of fields that have only some, below what is said of the field. */
const VALUES = '\n\nPossible enum values:';

interface Described {
  properties?: Record<string, { description?: string } | undefined>;
}

/** The definitions must have been generated. */
export async function fieldTextsModuleOf(sources: readonly string[]): Promise<string> {
  const { byId } = await definitions();
  const fields = new Set(sources.flatMap((source) => [...source.matchAll(CALL)].map(([, field]) => field as string)));
  const texts = [...fields].sort().map((field) => {
    const end = field.lastIndexOf('.');
    const { properties } = JSON.parse(byId.get(field.slice(0, end))?.json.toString() ?? '{}') as Described;
    const text = properties?.[field.slice(end + 1)]?.description;
    if (text === undefined) throw new Error(`nothing is said of ${field}`);
    return [field, text.split(VALUES)[0]];
  });
  const written = JSON.stringify(Object.fromEntries(texts), null, 1);
  return `// Made by scripts/generate.ts from kubernetes-models. Not to be edited.\nexport const fieldTexts=${written};\n`;
}
