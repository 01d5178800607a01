#!/usr/bin/env python3
"""What deploy/docker/rootfs.sh makes of a worker with CUDA, of libraries that are stand-ins of the real
ones' names: everything that is loaded, by being linked or by name, is found in the image and nowhere
else. Needs root and a C compiler; downloads nothing.
"""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# As programs load them: the CUDA side beside libtorch_cpu.so, the plug-in from ../lib, the rest by name.
WORKER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libgen.h>
#include <stdio.h>
int torch(void);
static int load(const char *name) {
  if (dlopen(name, RTLD_NOW | RTLD_GLOBAL)) return 1;
  printf("%s\n", dlerror());
  return 0;
}
int main(void) {
  Dl_info info;
  char path[4096];
  if (!dladdr((void *)torch, &info)) return 1;
  snprintf(path, sizeof path, "%s", info.dli_fname);
  char cuda[4200];
  snprintf(cuda, sizeof cuda, "%s/libtorch_cuda.so", dirname(path));
  int all = load(cuda) & load("/usr/lib/libphasor_cuda.so") & load("libcudnn_graph.so.9") &
            load("libnvrtc.so.13") & load("libnvJitLink.so.13");
  return all ? 0 : 1;
}
"""


def library(path, *links, code=""):
    """A stand-in, linked to others; those are found by their folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    words = [word for link in links for word in (link, f"-Wl,-rpath,{link.parent}")]
    name = path.name.replace(".", "_").replace("-", "_").replace("+", "_")
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-x", "none", "-o", path,
                    f"-Wl,-soname,{path.name}", "-Wl,--no-as-needed", *words],
                   input=code or f"int {name};", text=True, check=True)
    return path


class CudaRootfs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="phasor-rootfs-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.bin, site = self.folder / "bin", self.folder / "site"
        torch, cuda = site / "torch/lib", site / "nvidia/cu13/lib"
        cudart = library(cuda / "libcudart.so.13")
        cublas = library(cuda / "libcublas.so.13", library(cuda / "libcublasLt.so.13"))
        self.nvrtc = library(cuda / "libnvrtc.so.13")
        library(cuda / "libnvJitLink.so.13")
        cudnn = library(site / "nvidia/cudnn/lib/libcudnn.so.9")
        library(site / "nvidia/cudnn/lib/libcudnn_graph.so.9")
        cpu = library(torch / "libtorch_cpu.so", code="int torch(void) { return 1; }")
        c10 = library(torch / "libc10_cuda.so", cudart)
        library(torch / "libtorch_cuda.so", c10, cublas, cudnn)
        library(self.bin / "libphasor_cuda.so", c10, cudart)
        for name in ("phasor", "phasor-worker"):
            subprocess.run(["cc", "-x", "c", "-", "-x", "none", "-o", self.bin / name, cpu,
                            f"-Wl,-rpath,{torch}", "-ldl"], input=WORKER, text=True, check=True)

    def make(self):
        root = self.folder / "rootfs"
        made = subprocess.run([ROOT / "deploy/docker/rootfs.sh", "worker-cuda", root],
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "BIN_DIR": self.bin},
                              capture_output=True, text=True, check=False)
        return root, made

    def test_all_that_is_loaded_is_found_in_it(self):
        root, made = self.make()
        self.assertEqual(made.returncode, 0, made.stderr)
        ran = subprocess.run(["chroot", root, "/usr/bin/phasor-worker"], capture_output=True,
                             text=True, check=False)
        self.assertEqual((ran.returncode, ran.stdout), (0, ""))
        self.assertTrue((root / "usr/share/phasor/models/phasor-demo/model_index.json").exists())

    def test_a_missing_library_is_named(self):
        self.nvrtc.unlink()
        _, made = self.make()
        self.assertEqual(made.returncode, 1)
        self.assertIn("libnvrtc", made.stderr)
        self.assertIn("./dev build cuda", made.stderr)


if __name__ == "__main__":
    unittest.main()
