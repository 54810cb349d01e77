import type { IncomingHttpHeaders } from 'node:http';

/** Why a request is turned away before anything is read of it. */
export type Refusal = { readonly status: 403; readonly reason: string };

/** What the guard reads of a request. `rawHeaders` is the flat name, value, name, value list. */
export interface Arrival {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

/**
 * Lets in only requests addressed to exactly this origin, and sent by its own page or by no page at all:
 * a foreign page (Origin), a page that had its name rebound to this address (Host), and loads that the browser
 * itself calls foreign (Sec-Fetch-Site, Fetch Metadata §2.3) are refused.
 * @param origin `http://127.0.0.1:PORT`
 */
export function refusalOf(arrival: Arrival, origin: string): Refusal | undefined {
  const host = soleHeader(arrival, 'host');
  if (host !== origin.slice('http://'.length)) return { status: 403, reason: 'host' };
  if (has(arrival, 'origin') && soleHeader(arrival, 'origin') !== origin) return { status: 403, reason: 'origin' };
  const site = arrival.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return { status: 403, reason: 'site' };
  return undefined;
}

/** The token of `Authorization: Bearer TOKEN` (RFC 6750 §2.1). */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer ([A-Za-z0-9_-]{1,256})$/.exec(headers.authorization ?? '')?.[1];
}

export const SOCKET_PROTOCOL = 'molva.v1';
const TOKEN_PREFIX = 'token.';

/** The token beside `molva.v1` in Sec-WebSocket-Protocol: never in the address, where logs and histories keep it. */
export function socketTokenOf(headers: IncomingHttpHeaders): string | undefined {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim());
  if (!offered.includes(SOCKET_PROTOCOL)) return undefined;
  return offered.find(name => name.startsWith(TOKEN_PREFIX))?.slice(TOKEN_PREFIX.length);
}

export function isJson(headers: IncomingHttpHeaders): boolean {
  return /^application\/json(; ?charset=utf-8)?$/i.test(headers['content-type'] ?? '');
}

/** Sent with every answer. The WebSocket origin is named because older WebKit does not count it as 'self'. */
export function securityHeaders(origin: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src 'self' ${origin.replace('http:', 'ws:')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types lit-html',
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
    'Cache-Control': 'no-store',
  };
}

function has(arrival: Arrival, name: string): boolean {
  return arrival.headers[name] !== undefined;
}

/** The value of a header that must stand there once; a repeated one could be read differently by two readers. */
function soleHeader({ rawHeaders }: Arrival, name: string): string | undefined {
  const values: (string | undefined)[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1]);
  }
  return values.length === 1 ? values[0] : undefined;
}
