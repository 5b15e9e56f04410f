/** Names that nobody else has. */

/** 128 random bits as text; also where the page came without TLS and `randomUUID` is missing. */
export function eventId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
