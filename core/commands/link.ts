import { UsageError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

/** A web address carries none of these as such; whoever sends one wants to disguise where it leads. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Z}]/u;

/**
 * The address as it may be handed to the browser: http or https with a host, no name or password, normalised by the URL
 * parser (WHATWG), so that it is ASCII and what the person was shown.
 * @throws UsageError `refused` for everything else
 */
export function parseLink(text: string): string {
  const url = text.length <= LIMITS.linkCharacters && !HIDDEN.test(text) ? URL.parse(text) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    throw refused('Only web addresses (http and https) are opened.');
  }
  if (url.username !== '' || url.password !== '') {
    throw refused('An address with a name or password in it is not opened: it often only looks like another.');
  }
  return url.href;
}

function refused(message: string): UsageError {
  return new UsageError('refused', 'link.open', message);
}
