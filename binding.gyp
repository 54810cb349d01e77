{
  "targets": [
    {
      "target_name": "molva",
      "sources": ["native/module.cc", "native/hardening.cc"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
      "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-Werror=return-type", "-fstack-protector-strong", "-fno-exceptions"],
      "conditions": [
        ["OS=='linux'", { "ldflags": ["-Wl,-z,relro", "-Wl,-z,now"] }],
        ["OS=='mac'", {
          "xcode_settings": {
            "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
            "MACOSX_DEPLOYMENT_TARGET": "12.0"
          }
        }],
        ["OS=='win'", {
          "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++20", "/guard:cf"] } },
          "libraries": ["-lwer.lib"]
        }]
      ]
    }
  ]
}
