export type Strength = 'empty' | 'weak' | 'fair' | 'strong';

export const MIN_PASSPHRASE = 8;

/**
 * A hint, not a gate: bits of a naive guesser who knows the kinds of characters used and tries repeats
 * and runs (`aaaa`, `1234`) first, so that these count once.
 */
export function strengthOf(passphrase: string): Strength {
  if (passphrase === '') return 'empty';
  const bits = countedCharacters(passphrase) * Math.log2(alphabetSize(passphrase));
  if (passphrase.length < MIN_PASSPHRASE || bits < 45) return 'weak';
  return bits < 80 ? 'fair' : 'strong';
}

function countedCharacters(value: string): number {
  let counted = 0;
  let lastStep = Number.NaN;
  for (let i = 0; i < value.length; i++) {
    const step = i === 0 ? Number.NaN : value.charCodeAt(i) - value.charCodeAt(i - 1);
    const predictable = step === lastStep || step === 0;
    if (!predictable) counted++;
    lastStep = Math.abs(step) <= 1 ? step : Number.NaN;
  }
  return counted;
}

function alphabetSize(value: string): number {
  let size = 0;
  if (/[a-z]/.test(value)) size += 26;
  if (/[A-Z]/.test(value)) size += 26;
  if (/\d/.test(value)) size += 10;
  if (/[\p{P}\p{S}\s]/u.test(value)) size += 20;
  if (/[^\p{ASCII}]/u.test(value)) size += 40;
  return Math.max(size, 2);
}
