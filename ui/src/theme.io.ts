import type { Settings } from '../../core/commands/schema.ts';

export type Theme = Settings['theme'];
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

const THEME_KEY = 'molva.theme';

/** The theme the window's address names, or the one shown before a reload; the core keeps the choice itself. */
export function firstTheme(): Theme {
  const named = new URLSearchParams(location.hash.slice(1)).get('theme') ?? sessionStorage.getItem(THEME_KEY);
  return THEMES.find(theme => theme === named) ?? 'auto';
}

/** `auto` follows the system. */
export function showTheme(theme: Theme): void {
  if (sessionStorage.getItem(THEME_KEY) !== theme) sessionStorage.setItem(THEME_KEY, theme);
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
