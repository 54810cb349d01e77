#pragma once

#include <napi.h>

namespace molva {

// disableCoreDumps(): boolean     true when a crash of this process leaves no image of its memory behind
// lockMemory(): string | null     null when key memory can be locked and the main stack is, else why not:
//                                 "limit" (the system lets this user lock too little) or the system's error text
// Both take no argument, throw TypeError when given one, and may be called again.
void RegisterHardening(Napi::Env env, Napi::Object exports);

}  // namespace molva
