import type { Launcher } from './launchers.ts';

/** How each launcher is started: its arguments, and for Neutralino the file it reads. */

export const CONFIG_FILE_NAME = 'window.config.json';

/**
 * Neutralino's configuration with everything off that a page does not need: with its server or native API on, any
 * local page or process would be one step from running programs; the policy "browser" builds a shell command from a
 * link. The address with its one-use code stands here (0600) and not on the command line, which others can read.
 */
export function neutralinoConfig(url: string) {
  return {
    applicationId: 'molva.window',
    version: '1.0.0',
    defaultMode: 'window',
    url,
    enableServer: false,
    enableNativeAPI: false,
    enableExtensions: false,
    exportAuthInfo: false,
    tokenSecurity: 'one-time',
    nativeBlockList: ['*'],
    logging: { enabled: false, writeToLogFile: false },
    modes: {
      window: {
        title: 'Molva',
        width: 1100,
        height: 720,
        minWidth: 380,
        minHeight: 480,
        center: true,
        resizable: true,
        exitProcessOnClose: true,
        useSavedState: false,
        newWindowPolicy: 'system',
        enableInspector: false,
        openInspectorOnStartup: false,
        injectGlobals: false,
        injectClientLibrary: false,
      },
    },
  } as const;
}

/** The flags repeat what matters most, so that it holds even if the file cannot be read. */
export function startArguments(launcher: Launcher, url: string, windowDirectory: string): string[] {
  switch (launcher.kind) {
    case 'neutralino':
      return [
        `--path=${windowDirectory}`,
        '--res-mode=directory',
        // Joined to the path by Neutralino without a separator of its own.
        `--config-file=/${CONFIG_FILE_NAME}`,
        '--mode=window',
        '--enable-server=false',
        '--enable-native-api=false',
        '--enable-extensions=false',
        '--export-auth-info=false',
        '--window-use-saved-state=false',
        '--window-enable-inspector=false',
      ];
    case 'chromium':
      return [
        `--app=${url}`,
        `--user-data-dir=${windowDirectory}`,
        '--window-size=1100,720',
        '--no-first-run',
        '--no-default-browser-check',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-extensions',
        '--disable-breakpad',
        '--disable-features=Translate,AutofillServerCommunication,MediaRouter',
        '--password-store=basic',
      ];
    case 'browser':
      return [...launcher.before, url];
  }
}

/** The webview's own files stay in the data directory, and with them the panic wipe reaches them. */
export function windowEnvironment(windowDirectory: string): Record<string, string> {
  return {
    // A quarter less memory, measured; the page draws nothing that needs the other renderer.
    WEBKIT_DISABLE_DMABUF_RENDERER: '1',
    XDG_DATA_HOME: windowDirectory,
    XDG_CACHE_HOME: windowDirectory,
    WEBVIEW2_USER_DATA_FOLDER: windowDirectory,
  };
}
