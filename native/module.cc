// The addon: what Node cannot do. One feature a file; each registers its functions here.
#include <napi.h>

#include "hardening.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  molva::RegisterHardening(env, exports);
  return exports;
}

NODE_API_MODULE(molva, Init)
