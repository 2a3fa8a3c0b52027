-- Lines from Kafka, each message one line.
CREATE TABLE IF NOT EXISTS fim_kafka (line String)
ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka.example.org:9093',
         kafka_topic_list = 'fim',
         kafka_group_name = 'clickhouse-fim',
         kafka_format = 'LineAsString';

CREATE MATERIALIZED VIEW IF NOT EXISTS fim_from_kafka TO fim_lines AS SELECT line FROM fim_kafka;
