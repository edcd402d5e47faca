"""WGAN-GP on the workers of a Ray cluster: python ray_train.py --workers 4 --out /shared/wgan-gp

Ray's `TensorflowTrainer` starts the workers and gives each its TF_CONFIG. It needs
`pip install "ray[train]"`, and a directory that all workers see. See docs/distributed.md.
"""

import argparse


def train(settings):
    """Runs on each worker."""
    from keras_gans.devices.replicas import make_strategy

    strategy = make_strategy("multi-worker")  # before all else of TensorFlow

    from keras_gans import WGANGP, runs
    from keras_gans.datasets import load
    from keras_gans.networks import build_dcgan_discriminator, build_dcgan_generator

    dataset = load("fashion_mnist_10k", batch_size=settings["batch_size"])
    shape = dataset.info.shape
    with strategy.scope():
        gan = WGANGP(
            build_dcgan_generator(shape, seed=0),
            build_dcgan_discriminator(shape, normalization="layer", seed=1),
            ema_decay=0.999,
            seed=0,
        )
    runs.train(gan, dataset, settings["out"], settings["steps"], save_every=500)


def main():
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.tensorflow import TensorflowTrainer

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--gpu", action="store_true", help="a GPU for each worker")
    parser.add_argument("--out", required=True, help="run directory that all workers see")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--batch-size", type=int, default=256, help="of all workers together")
    arguments = vars(parser.parse_args())
    trainer = TensorflowTrainer(
        train,
        train_loop_config=arguments,
        scaling_config=ScalingConfig(arguments["workers"], use_gpu=arguments["gpu"]),
        # When a worker dies the others stop; started again they go on from the newest checkpoint.
        run_config=RunConfig(failure_config=FailureConfig(max_failures=100)),
    )
    trainer.fit()


if __name__ == "__main__":
    main()
