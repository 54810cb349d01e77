export async function checkPages(_path: string): Promise<void> {}
