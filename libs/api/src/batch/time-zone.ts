/** Zone names as files of the IANA database have them. https://data.iana.org/time-zones/theory.html#naming */
const COMPONENT = /^(?![-.]{1,2}$)[A-Za-z._][A-Za-z0-9._+-]{0,13}$/;

function isKnown(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with the name of a time zone, in Kubernetes' words; undefined when there is such a zone. */
export function timeZoneProblem(name: string): string | undefined {
  if (name === '') return 'timeZone must be nil or non-empty string';
  if (name.toLowerCase() === 'local') {
    return 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
  }
  const isName = name.split('/').every((component) => COMPONENT.test(component));
  return isName && isKnown(name) ? undefined : `unknown time zone ${name}`;
}
