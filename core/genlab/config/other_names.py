"""Names of settings in other frameworks: pytorch-CycleGAN-and-pix2pix, joliGEN, MMagic and their like."""

from __future__ import annotations

import re

from genlab.interfaces.kinds import KINDS

_STEPS = "`train.steps`: epochs x training pairs / batch size"
_DECAY = '`schedule.name = "linear"` and `schedule.start`: n_epochs / (n_epochs + n_epochs_decay)'
_JITTER = "`augment.jitter.amount`: load_size / crop_size - 1, 0.117 for 286 and 256"
_START = "a table `[init.ROLE]`, whose key from is the folder of a run or a safetensors file"
_RESUME = "`gen resume RUN`, which continues from the last checkpoint"
_CHECKPOINTS = "`checkpoint.minutes`, which counts time and not epochs"
_CLIP = "`optimizer.clip`"
_WARMUP = "`schedule.warmup`: warm-up steps / `train.steps`"
_BEST = "`checkpoint.best`, such as `validation/ssim`; the metric says which direction is better"
_ACCUMULATE = "`train.accumulate`"
_EMA = "`ema.horizon`, in pairs: 1 / (1 - decay) steps, so 10000 is about a decay of 0.9999 at batch 1"
_OUT = "the option `--out`"

OTHER_NAMES = {
    "accumulate_grad_batches": _ACCUMULATE,
    "base_channels": "`generator.channels`",
    "beta1": "the first of `optimizer.betas`",
    "beta2": "the second of `optimizer.betas`",
    "checkpoints_dir": _OUT,
    "clip_grad_norm": _CLIP,
    "continue_train": _RESUME,
    "crop_size": "`input.size`",
    "dataroot": '`data.root` of a dataset of folders, such as `data.name = "side_by_side"`',
    "dataset_mode": '`data.name`: aligned is "side_by_side", and unaligned "unpaired_folders"',
    "display_freq": "`evaluate.previews`, which counts how often over the whole training",
    "early_stopping": "`train.patience`, in validations, with `checkpoint.best`",
    "early_stopping_patience": "`train.patience`, in validations, with `checkpoint.best`",
    "ema_beta": _EMA,
    "ema_decay": _EMA,
    "epoch_count": _RESUME,
    "epochs": _STEPS,
    "eps": "`optimizer.epsilon`",
    "finesize": "`input.size`",
    "gan_mode": '`losses.adversarial.objective`: vanilla is "bce"',
    "gpu_ids": '`train.device`: "cuda", or "cpu" for -1; the environment variable CUDA_VISIBLE_DEVICES chooses the GPU',
    "grad_clip": _CLIP,
    "gradient_clip_val": _CLIP,
    "gradient_accumulation_steps": _ACCUMULATE,
    "image_size": "`input.size`",
    "img_size": "`input.size`",
    "iter_size": _ACCUMULATE,
    "iterations": "`train.steps`",
    "lambda_gan": "`losses.adversarial.weight`",
    "lambda_l1": "`losses.l1.weight`",
    "load_from": _START,
    "load_size": _JITTER,
    "loadsize": _JITTER,
    "lr": "`optimizer.learning_rate`",
    "lr_policy": "`schedule.name`",
    "lr_scheduler": "`schedule`",
    "max_epochs": _STEPS,
    "max_grad_norm": _CLIP,
    "max_iters": "`train.steps`",
    "max_steps": "`train.steps`",
    "metric_for_best_model": _BEST,
    "model": "`method.name`, with its networks in `generator` and `discriminator`",
    "monitor": _BEST,
    "n_epochs": _STEPS,
    "n_epochs_decay": _DECAY,
    "n_layers_d": "`discriminator.receptive_field`: 1 to 5 layers are 16, 34, 70, 142 and 286",
    "name": "`title`; the option `--out` names the folder",
    "ndf": "`discriminator.channels`",
    "netd": '`discriminator.name`: basic is "patchgan", and pixel is that with `discriminator.receptive_field = 1`',
    "netg": '`generator.name`: unet_256 is "unet" with `generator.levels = 8`',
    "ngf": "`generator.channels`",
    "niter": _STEPS,
    "niter_decay": _DECAY,
    "no_dropout": "`generator.dropout_blocks = []`",
    "no_flip": "`augment.flip = false`",
    "norm": "`generator.norm` and `discriminator.norm`",
    "num_down": "`generator.levels`",
    "num_epochs": _STEPS,
    "num_threads": "`train.readers`",
    "num_workers": "`train.readers`",
    "pool_size": "always 0: leave it out",
    "preprocess": "`input.size`, `input.resize` and `augment.jitter`, by which pairs are resized and cropped",
    "prefetch_factor": "`train.read_ahead`, which counts MiB",
    "pretrain_network_g": _START,
    "pretrained": _START,
    "print_freq": "`train.values_every`, in steps",
    "samples_per_gpu": "`train.batch_size`",
    "save_best": _BEST,
    "save_epoch_freq": _CHECKPOINTS,
    "save_latest_freq": _CHECKPOINTS,
    "scale_factor": "`input.scale`",
    "total_iters": "`train.steps`",
    "upscale": "`input.scale`",
    "warmup_iters": _WARMUP,
    "warmup_steps": _WARMUP,
    "which_direction": '`input.direction`: BtoA is "b_to_a"',
}
"""What the setting of that name, in lower case, is called in a recipe."""

_SETTINGS = {"optimizer": ("learning_rate", "betas", "weight_decay")}
"""Settings of components that are looked for in other places."""

_PREFIXES = re.compile(r"^(?:train_|data_|[gd]_)+")


def other_name_hint(name: str) -> str | None:
    """Hint at the setting that other frameworks call `name`, with or without joliGEN's prefixes; None without one."""
    lower = name.lower()
    here = OTHER_NAMES.get(lower) or OTHER_NAMES.get(_PREFIXES.sub("", lower))
    return f"Here, that is {here}." if here else None


def table_hint(key: str) -> str | None:
    """Hint at the framework's table that has a key; None if there is none."""
    # A damaged package keeps pydantic from making models, and plugins have to be listed even then.
    from genlab.config.schema import KEYS_BESIDE_SETTINGS, TABLES

    if key in ("title", "seed"):
        return f"Did you mean `{key}`, above the first table?"
    tables = (TABLES | KEYS_BESIDE_SETTINGS).items()
    homes = [f"{name}.{key}" for name, table in tables if key in table.model_fields or key in _SETTINGS.get(name, ())]
    homes += [".".join(kind.table) for kind in KINDS.values() if kind.table[-1] == key and kind.table != (key,)]
    return f"Did you mean `{homes[0]}`?" if homes else None
