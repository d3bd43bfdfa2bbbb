/* Runs a few steps and predictions of the network in NETWORK, for the sanitizers. */
#include NETWORK

#include <stdio.h>

int main(void) {
    enum { IMAGES = 3 * LANES + 5 };
    const int pixels = IMAGE.channels * IMAGE.height * IMAGE.width;
    float *parameters = malloc(PARAMETERS * sizeof(float));
    float *gradients = malloc(PARAMETERS * sizeof(float));
    float *running = calloc(2 * CHANNELS + 1, sizeof(float));
    int64_t *tracked = calloc(CHANNELS + 1, sizeof(int64_t));
    uint8_t *images = malloc(IMAGES * pixels);
    float *logits = malloc(IMAGES * CLASSES * sizeof(float));
    int64_t *labels = malloc(IMAGES * sizeof(int64_t)), *index = malloc(IMAGES * sizeof(int64_t));
    for (int i = 0; i < PARAMETERS; i++) parameters[i] = (i % 19 - 9) * 0.01f;
    for (int i = 0; i < IMAGES * pixels; i++) images[i] = i % 251;
    for (int i = 0; i < IMAGES; i++) labels[i] = i % CLASSES, index[i] = IMAGES - 1 - i;

    const double rates[] = {0.2, 0.5, 0.5, 0.5};
    Network *n = engine_open(2, IMAGES, parameters, gradients, running, tracked, rates);
    Batch batch = {(char *)images, index, labels, logits, IMAGES, 1, 1 / 255.f, -.5f, .1f, 7};
    double loss = 0;
    for (int step = 0; step < 2; step++) {
        batch.key = step;
        batch.count = IMAGES - 20 * step;
        loss += engine_step(n, &batch);
        for (int i = 0; i < PARAMETERS; i++) parameters[i] -= 0.01f * gradients[i];
    }
    engine_forward(n, &batch);
    engine_close(n);
    void *memory[] = {parameters, gradients, running, tracked, images, logits, labels, index};
    for (int i = 0; i < 8; i++) free(memory[i]);
    return loss > 0 ? 0 : 1;
}
